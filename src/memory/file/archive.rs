//! A tar archive, file by file: ustar, with GNU's long names where a name has no room. Pure.

use bytes::Bytes;

/// The size of a block; everything in an archive fills blocks.
const BLOCK: usize = 512;
/// Bytes of a name that a header holds.
const NAME_BYTES: usize = 100;

/// Parts of a tar archive, to be sent one behind the other.
#[derive(Debug, Clone, Copy)]
pub struct Archive;

impl Archive {
    /// A file: its header and its bytes. The name is a relative path.
    pub fn file(name: &str, content: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(content.len() + 4 * BLOCK);
        if name.len() > NAME_BYTES {
            let mut long = name.as_bytes().to_vec();
            long.push(0);
            entry(&mut out, "././@LongLink", b'L', &long);
        }
        entry(&mut out, name, b'0', content);
        out.into()
    }

    /// The end: two empty blocks.
    pub fn end() -> Bytes {
        Bytes::from_static(&[0; 2 * BLOCK])
    }
}

fn entry(out: &mut Vec<u8>, name: &str, kind: u8, content: &[u8]) {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(NAME_BYTES)]);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    // No time: the same entries give the same archive.
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_fills_blocks_and_says_its_size() {
        let file = Archive::file("notes/a.md", b"Hello");
        assert_eq!(file.len(), 2 * BLOCK);
        assert_eq!((&file[..10], &file[124..136]), (&b"notes/a.md"[..], &b"00000000005\0"[..]));
        assert_eq!(&file[512..517], b"Hello");
        let sum: u32 = file[..512]
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        assert_eq!(&file[148..154], format!("{sum:06o}").as_bytes());
        assert_eq!(Archive::file("empty", b"").len(), BLOCK);
    }

    #[test]
    fn a_long_name_stands_before_its_file() {
        let name = format!("{}/k.md", "n".repeat(150));
        let file = Archive::file(&name, b"x");
        assert_eq!((file[156], file.len()), (b'L', 4 * BLOCK));
        assert_eq!(&file[512..512 + name.len()], name.as_bytes());
        assert_eq!(file[2 * BLOCK + 156], b'0');
    }
}
