//! The forward pass of a BERT encoder: tokens in, one vector of length 1 for each text out.
//!
//! Texts of a batch stand one after the other in one matrix, a row for each token, so that nothing is padded: only attention looks
//! at one text at a time.
//!
//! Sources: Devlin et al. 2019, "BERT"; Vaswani et al. 2017, "Attention Is All You Need"; Reimers and Gurevych 2019,
//! "Sentence-BERT".

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayViewMut1, Axis, s};

use super::folder::Unfit;
use super::shape::{Activation, Pooling, Shape};
use super::tensors::{FILE, Tensors};

/// Rows are multiplied by a matrix, and a vector is added.
#[derive(Debug)]
struct Dense {
    /// A row for each number that comes out.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let mut out = Array2::zeros((rows.nrows(), self.bias.len()));
        out += &self.bias;
        general_mat_mul(1.0, rows, &self.weight.t(), 1.0, &mut out);
        out
    }
}

/// Rows are moved to the mean 0 and scaled to the variance 1, then weighed.
#[derive(Debug)]
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl Norm {
    fn apply(&self, rows: &mut Array2<f32>) {
        let count = self.weight.len() as f32;
        for mut row in rows.rows_mut() {
            let mean = row.sum() / count;
            let variance = row.fold(0.0, |sum, n| sum + (n - mean) * (n - mean)) / count;
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            for ((n, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *n = (*n - mean) * scale * weight + bias;
            }
        }
    }
}

/// One block.
#[derive(Debug)]
struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    attended: Dense,
    attended_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

/// The weights of a model.
#[derive(Debug)]
pub(super) struct Encoder {
    tokens: Array2<f32>,
    places: Array2<f32>,
    /// Of the first type: there is one text at a time.
    kind: Array1<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
    activation: Activation,
    pooling: Pooling,
}

/// Tensors by the names that BERT's have.
struct Names<'a> {
    tensors: &'a mut Tensors,
    /// Before every name.
    prefix: &'static str,
    epsilon: f32,
}

impl Names<'_> {
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Array2<f32>, Unfit> {
        let name = format!("{}{name}", self.prefix);
        let numbers = self.tensors.read(&name, &[rows, columns])?;
        Array2::from_shape_vec((rows, columns), numbers).map_err(|error| Unfit::new(FILE, format!("{name}: {error}")))
    }

    fn vector(&mut self, name: &str, count: usize) -> Result<Array1<f32>, Unfit> {
        Ok(Array1::from_vec(self.tensors.read(&format!("{}{name}", self.prefix), &[count])?))
    }

    fn dense(&mut self, name: &str, into: usize, from: usize) -> Result<Dense, Unfit> {
        let weight = self.matrix(&format!("{name}.weight"), into, from)?;
        Ok(Dense { weight, bias: self.vector(&format!("{name}.bias"), into)? })
    }

    fn norm(&mut self, name: &str, count: usize) -> Result<Norm, Unfit> {
        let weight = self.vector(&format!("{name}.weight"), count)?;
        Ok(Norm { weight, bias: self.vector(&format!("{name}.bias"), count)?, epsilon: self.epsilon })
    }
}

/// What stands before the names of a file's tensors; the first of them must be there.
pub(super) fn prefix(tensors: &Tensors, shape: &Shape) -> Result<&'static str, Unfit> {
    const FIRST: &str = "embeddings.word_embeddings.weight";
    let prefix = if tensors.has(&format!("bert.{FIRST}")) { "bert." } else { "" };
    tensors.check(&format!("{prefix}{FIRST}"), &[shape.vocabulary, shape.hidden])?;
    Ok(prefix)
}

impl Encoder {
    /// Reads the weights.
    pub fn read(mut tensors: Tensors, shape: &Shape) -> Result<Self, Unfit> {
        let Shape { hidden, inner, .. } = *shape;
        let prefix = prefix(&tensors, shape)?;
        let mut names = Names { tensors: &mut tensors, prefix, epsilon: shape.epsilon };
        let kinds = names.matrix("embeddings.token_type_embeddings.weight", shape.types, hidden)?;
        let layers = (0..shape.layers).map(|at| {
            let of = |name: &str| format!("encoder.layer.{at}.{name}");
            Ok(Layer {
                query: names.dense(&of("attention.self.query"), hidden, hidden)?,
                key: names.dense(&of("attention.self.key"), hidden, hidden)?,
                value: names.dense(&of("attention.self.value"), hidden, hidden)?,
                attended: names.dense(&of("attention.output.dense"), hidden, hidden)?,
                attended_norm: names.norm(&of("attention.output.LayerNorm"), hidden)?,
                inner: names.dense(&of("intermediate.dense"), inner, hidden)?,
                outer: names.dense(&of("output.dense"), hidden, inner)?,
                outer_norm: names.norm(&of("output.LayerNorm"), hidden)?,
            })
        });
        let layers = layers.collect::<Result<_, Unfit>>()?;
        Ok(Self {
            tokens: names.matrix("embeddings.word_embeddings.weight", shape.vocabulary, hidden)?,
            places: names.matrix("embeddings.position_embeddings.weight", shape.places, hidden)?,
            kind: kinds.row(0).to_owned(),
            norm: names.norm("embeddings.LayerNorm", hidden)?,
            layers,
            heads: shape.heads,
            activation: shape.activation,
            pooling: shape.pooling,
        })
    }

    /// The vector of each text; zeros for one without a direction. Tokens must be rows of the table, and a text must have one
    /// at least and no more than there are places.
    pub fn vectors(&self, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(texts.len());
        for text in texts {
            let from = spans.last().map_or(0, |span| span.end);
            spans.push(from..from + text.len());
        }
        let mut rows = self.looked_up(texts);
        for layer in &self.layers {
            let mut attended = layer.attended.apply(&self.attend(layer, &rows, &spans));
            attended += &rows;
            layer.attended_norm.apply(&mut attended);
            let mut inner = layer.inner.apply(&attended);
            inner.mapv_inplace(|n| activate(self.activation, n));
            rows = layer.outer.apply(&inner);
            rows += &attended;
            layer.outer_norm.apply(&mut rows);
        }
        spans.into_iter().map(|span| self.pool(&rows, span)).collect()
    }

    /// A row for each token: what it is, where it stands, and of which type it is.
    fn looked_up(&self, texts: &[Vec<u32>]) -> Array2<f32> {
        let count = texts.iter().map(Vec::len).sum();
        let mut rows = Array2::zeros((count, self.kind.len()));
        let all = texts.iter().flat_map(|text| text.iter().enumerate());
        for (mut row, (place, token)) in rows.rows_mut().into_iter().zip(all) {
            row += &self.tokens.row(*token as usize);
            row += &self.places.row(place);
            row += &self.kind;
        }
        self.norm.apply(&mut rows);
        rows
    }

    /// Each token's row as a mean of the values of all tokens of its text, weighed by how well its query fits their keys; in
    /// several heads, each on its own columns.
    fn attend(&self, layer: &Layer, rows: &Array2<f32>, spans: &[Range<usize>]) -> Array2<f32> {
        let [query, key, value] = [&layer.query, &layer.key, &layer.value].map(|dense| dense.apply(rows));
        let mut out = Array2::zeros(rows.dim());
        let width = rows.ncols() / self.heads;
        let scale = 1.0 / (width as f32).sqrt();
        for span in spans {
            for head in 0..self.heads {
                let part = s![span.clone(), head * width..(head + 1) * width];
                let mut weights = Array2::zeros((span.len(), span.len()));
                general_mat_mul(scale, &query.slice(part), &key.slice(part).t(), 0.0, &mut weights);
                weights.rows_mut().into_iter().for_each(soft);
                general_mat_mul(1.0, &weights, &value.slice(part), 0.0, &mut out.slice_mut(part));
            }
        }
        out
    }

    fn pool(&self, rows: &Array2<f32>, span: Range<usize>) -> Vec<f32> {
        let count = span.len().max(1) as f32;
        let pooled = match self.pooling {
            Pooling::Mean => rows.slice(s![span, ..]).sum_axis(Axis(0)) / count,
            Pooling::First => rows.row(span.start).to_owned(),
        };
        let length = pooled.iter().map(|n| f64::from(*n) * f64::from(*n)).sum::<f64>().sqrt();
        let scale = if length > 1e-12 { (1.0 / length) as f32 } else { 0.0 };
        pooled.iter().map(|n| n * scale).collect()
    }
}

/// Numbers as shares of 1, the larger the more.
fn soft(mut row: ArrayViewMut1<'_, f32>) {
    let most = row.fold(f32::NEG_INFINITY, |most, n| most.max(*n));
    row.mapv_inplace(|n| (n - most).exp());
    let sum = row.sum();
    row.mapv_inplace(|n| n / sum);
}

fn activate(activation: Activation, n: f32) -> f32 {
    match activation {
        Activation::Gelu => 0.5 * n * (1.0 + error_function(n * std::f32::consts::FRAC_1_SQRT_2)),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f32::consts::PI).sqrt() * (n + 0.044_715 * n * n * n);
            0.5 * n * (1.0 + inner.tanh())
        }
        Activation::Relu => n.max(0.0),
    }
}

/// The error function, within 3e-7.
///
/// Source: Abramowitz and Stegun 1964, "Handbook of Mathematical Functions", 7.1.26.
fn error_function(n: f32) -> f32 {
    let size = n.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let sum = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    (1.0 - sum * (-size * size).exp()).copysign(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_as_tables_have_it() {
        for (n, known) in [(0.0, 0.0), (0.1, 0.112_462_92), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3)]
        {
            assert!((error_function(n) - known).abs() < 5e-7, "{n}");
            assert!((error_function(-n) + known).abs() < 5e-7, "{n}");
        }
        assert!((activate(Activation::Gelu, 1.0) - 0.841_344_7).abs() < 1e-6);
        assert!((activate(Activation::GeluTanh, 1.0) - 0.841_192).abs() < 1e-6);
        assert!(activate(Activation::Relu, -1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn shares_add_up_whatever_the_size_of_the_numbers() {
        let mut row = Array1::from_vec(vec![1000.0, 1000.0, -1000.0]);
        soft(row.view_mut());
        assert!((row[0] - 0.5).abs() < 1e-6 && (row.sum() - 1.0).abs() < 1e-6);
    }
}
