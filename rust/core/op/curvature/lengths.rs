//! Lengths.

use super::super::facts::Read::{self, A, B, Z};
use super::super::form::Fast;
use super::super::lengths::{Hypot, Norm};
use super::super::range::is_normal;
use super::entry::Entries;
use super::reductions::{Rest, sum};
use super::wide::Wide;
use super::{Coupled, CurvedBinary, CurvedVariadic};
use crate::scaled::Scaled;

impl CurvedBinary for Hypot {
    const COUPLED: Coupled = [true; 4];
    const READS: &'static [Read] = &[A, B, Z];
    const FORMULA: &'static str = "b² ÷ √(a² + b²)³, −ab ÷ √(a² + b²)³, a² ÷ √(a² + b²)³; 0 at the origin";

    #[inline(always)]
    fn curvature(a: f64, b: f64, z: f64) -> impl Entries {
        Across { a, b, z }
    }
}

/// `[b², −ab, −ab, a²]/z³`.
struct Across {
    a: f64,
    b: f64,
    z: f64,
}

impl Entries for Across {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        let (along_a, along_b) = (self.a / self.z, self.b / self.z);
        let (aa, ab, bb) =
            (along_b * along_b / self.z, -along_a * along_b / self.z, along_a * along_a / self.z);
        let full =
            |entry: f64, product: f64, is_zero: bool| (is_normal(entry) & is_normal(product)) | is_zero;
        let (a_is_0, b_is_0) = (self.a == 0.0, self.b == 0.0);
        let holds = is_normal(self.z)
            & full(aa, along_b * along_b, b_is_0)
            & full(ab, along_a * along_b, a_is_0 | b_is_0)
            & full(bb, along_a * along_a, a_is_0);
        ([aa, ab, ab, bb], holds)
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        let Self { a, b, .. } = *self;
        if !(a.is_finite() && b.is_finite()) || (a == 0.0 && b == 0.0) {
            return [Wide::new(0.0); 4];
        }
        let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
        let z = Wide::Real(Scaled::new(small).hypot(large.abs()));
        let over = |product: Wide| product.div(z).div(z).div(z);
        let [a, b] = [a, b].map(Wide::new);
        let mixed = over(Wide::new(-1.0).mul(a).mul(b));
        [over(b.mul(b)), mixed, mixed, over(a.mul(a))]
    }
}

impl CurvedVariadic for Norm {
    const FLAT: bool = false;
    const FORMULA: &'static str = "(δᵢⱼ·Σx² − xᵢxⱼ) ÷ √Σx²³; 0 at the origin";

    /// `(tᵢ·Σx² − xᵢ·Σxt)/z³`, where input i has no part in either sum.
    fn curvature(inputs: &[f64], tangents: &[f64], out: &mut Vec<Wide>) {
        let Some(largest) = (0..inputs.len()).max_by(|&i, &k| inputs[i].abs().total_cmp(&inputs[k].abs()))
        else {
            return;
        };
        if inputs[largest] == 0.0 || !inputs[largest].is_finite() {
            out.extend(inputs.iter().map(|_| Wide::new(0.0)));
            return;
        }
        let squares = Rest::of(inputs.iter().map(|&x| Wide::new(x).mul(Wide::new(x))), largest);
        let products =
            Rest::of(inputs.iter().zip(tangents).map(|(&x, &t)| Wide::new(x).mul(Wide::new(t))), largest);
        let square = sum([squares.all(), Wide::new(0.0)].into_iter());
        let unit = inputs[largest].abs();
        // The norm in units of the largest input, which is between 1 and √n.
        let ratio = square.div(Wide::new(unit)).div(Wide::new(unit)).to_f64().sqrt();
        let z = Wide::new(ratio).mul(Wide::new(unit));
        for (i, (&x, &t)) in inputs.iter().zip(tangents).enumerate() {
            let along = Wide::new(-x).mul(products.without(i));
            let across = Wide::new(t).mul(squares.without(i));
            out.push(across.add(along).div(square).div(z));
        }
    }
}
