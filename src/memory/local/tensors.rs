//! Weights in the safetensors format: eight bytes that say how long the header is, the header in JSON, and the numbers.
//!
//! Promises: every offset is checked against the length of the file before anything is read by it, and one tensor at a time is in
//! memory beside what it becomes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use serde::Deserialize;

use super::folder::{Folder, Unfit};

/// The file.
pub(super) const FILE: &str = "model.safetensors";
/// The largest that is opened, in bytes.
const MOST_BYTES: u64 = 640 << 20;
/// The longest header, in bytes; that of a model of six layers has 11,000.
const MOST_HEADER: u64 = 1 << 20;

/// Where a tensor stands.
#[derive(Debug, Deserialize)]
struct Place {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    F32,
    F16,
    Bf16,
}

impl Width {
    fn of(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            _ => return None,
        })
    }

    const fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// The tensors of an opened file.
#[derive(Debug)]
pub(super) struct Tensors {
    file: File,
    /// Where the numbers begin, in bytes.
    begin: u64,
    places: BTreeMap<String, Place>,
    /// Of the file.
    pub bytes: u64,
}

fn unfit(message: impl Into<String>) -> Unfit {
    Unfit::new(FILE, message)
}

impl Tensors {
    /// Reads where everything stands.
    pub fn open(folder: &Folder) -> Result<Self, Unfit> {
        let (mut file, bytes) = folder.file(FILE, MOST_BYTES)?;
        let unreadable = |error: std::io::Error| unfit(format!("can't be read: {error}"));
        let mut length = [0; 8];
        if bytes < length.len() as u64 {
            return Err(unfit("expected eight bytes with the length of the header first"));
        }
        file.read_exact(&mut length).map_err(unreadable)?;
        let (length, most) = (u64::from_le_bytes(length), MOST_HEADER.min(bytes - 8));
        if length > most {
            return Err(unfit(format!("expected a header of at most {most} bytes, it says {length}")));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(unreadable)?;
        let all: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(&header).map_err(|error| unfit(format!("its header: {error}")))?;
        let mut places = BTreeMap::new();
        for (name, value) in all.into_iter().filter(|(name, _)| name != "__metadata__") {
            let place: Place = serde_json::from_value(value).map_err(|error| unfit(format!("{name}: {error}")))?;
            let (from, to) = place.data_offsets;
            if from > to || to > bytes - 8 - length {
                return Err(unfit(format!("{name}: expected offsets within the file")));
            }
            places.insert(name, place);
        }
        Ok(Self { file, begin: 8 + length, places, bytes })
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Where the numbers of a tensor of this shape stand, in bytes from the beginning of the file.
    fn place(&self, name: &str, shape: &[usize]) -> Result<(u64, Width, usize), Unfit> {
        let place = self.places.get(name).ok_or_else(|| unfit(format!("{name} is missing")))?;
        let width = Width::of(&place.dtype);
        let width =
            width.ok_or_else(|| unfit(format!("{name}: expected F32, F16 or BF16, found {:?}", place.dtype)))?;
        if !place.shape.iter().copied().eq(shape.iter().map(|side| *side as u64)) {
            let message = format!("{name}: expected the shape {shape:?} by config.json, found {:?}", place.shape);
            return Err(unfit(message));
        }
        let count: usize = shape.iter().product();
        let (from, to) = place.data_offsets;
        if to - from != count as u64 * width.bytes() {
            return Err(unfit(format!("{name}: expected {} bytes, found {}", count as u64 * width.bytes(), to - from)));
        }
        Ok((self.begin + from, width, count))
    }

    /// Whether a tensor could be read so.
    pub fn check(&self, name: &str, shape: &[usize]) -> Result<(), Unfit> {
        self.place(name, shape).map(drop)
    }

    /// The numbers of a tensor, row by row.
    pub fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Unfit> {
        let (at, width, count) = self.place(name, shape)?;
        let mut bytes = vec![0; count * width.bytes() as usize];
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| unfit(format!("{name} can't be read: {error}")))?;
        let numbers: Vec<f32> = match width {
            Width::F32 => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            Width::F16 => bytes.as_chunks().0.iter().map(|two| half(u16::from_le_bytes(*two))).collect(),
            Width::Bf16 => {
                let wide = |two: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*two)) << 16);
                bytes.as_chunks().0.iter().map(wide).collect()
            }
        };
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(unfit(format!("{name}: expected finite numbers")));
        }
        Ok(numbers)
    }
}

/// A number of 16 bits by IEEE 754: one for the sign, five for the exponent, ten for the rest.
fn half(bits: u16) -> f32 {
    let (exponent, rest) = (i32::from((bits >> 10) & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => rest * 2.0_f32.powi(-24),
        31 if rest == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + rest) * 2.0_f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this header and so many bytes of numbers, opened.
    fn opened(header: &str, length: Option<u64>, numbers: &[u8]) -> Result<Tensors, Unfit> {
        let shelf = tempfile::tempdir().unwrap();
        let own = shelf.path().join("m");
        std::fs::create_dir(&own).unwrap();
        let mut bytes = length.unwrap_or(header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        std::fs::write(own.join(FILE), bytes).unwrap();
        Tensors::open(&Folder::open(shelf.path(), "m").unwrap())
    }

    fn said(header: &str, length: Option<u64>) -> String {
        opened(header, length, &[0; 8]).unwrap_err().to_string()
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        let fine = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        assert!(opened(fine, None, &[0; 8]).unwrap().has("a"));
        assert!(said(fine, Some(u64::MAX)).contains("expected a header of at most"));
        assert!(said(fine, Some(7)).contains("its header"));
        assert!(said("[]", None).contains("its header"));
        let with = |offsets: &str| fine.replace("[0,8]", offsets);
        for offsets in ["[0,9]", "[8,0]", "[0,18446744073709551615]"] {
            assert_eq!(said(&with(offsets), None), "model.safetensors: a: expected offsets within the file");
        }
        assert!(said(&with("[-1,8]"), None).contains("a: invalid value"));
    }

    #[test]
    fn a_tensor_is_read_as_it_was_asked_for_or_not_at_all() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "b":{"dtype":"F32","shape":[3],"data_offsets":[0,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},
            "h":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},"g":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}"#;
        let mut numbers = [1.5_f32, -2.0].map(f32::to_le_bytes).concat();
        numbers.extend([0x3c00_u16, 0xc100, 0x3f80, 0x4000].map(u16::to_le_bytes).concat());
        let mut tensors = opened(header, None, &numbers).unwrap();
        assert_eq!(tensors.read("a", &[2]), Ok(vec![1.5, -2.0]));
        assert_eq!(tensors.read("h", &[1, 2]), Ok(vec![1.0, -2.5]));
        assert_eq!(tensors.read("g", &[2]), Ok(vec![1.0, 2.0]));
        let why = |name: &str, shape: &[usize]| tensors.check(name, shape).unwrap_err().to_string();
        assert!(why("a", &[1, 2]).contains("expected the shape [1, 2] by config.json, found [2]"));
        assert!(why("b", &[3]).contains("expected 12 bytes, found 8"));
        assert!(why("i", &[1]).contains("expected F32, F16 or BF16"));
        assert!(why("z", &[1]).contains("z is missing"));
        let broken = f32::NAN.to_le_bytes().repeat(2);
        let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        assert!(opened(header, None, &broken).unwrap().read("a", &[2]).unwrap_err().to_string().contains("finite"));
    }

    #[test]
    fn numbers_of_sixteen_bits_are_what_they_say() {
        let known = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xbc00, -1.0),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ];
        for (bits, number) in known {
            assert_eq!(half(bits).to_bits(), f32::to_bits(number), "{bits:x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7c01).is_nan());
    }
}
