//! Lengths.

use crate::reference::wide::Wide;

/// `Σx²` of finite numbers.
pub fn square_of_length(inputs: &[f64]) -> Wide {
    let largest = inputs.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 {
        return Wide::new(0.0);
    }
    let unit = Wide::new(largest).power_of_two();
    let ratio = |x: &f64| Wide::new(*x).over(unit).narrow(); // exact
    unit.power(2).times(Wide::new(inputs.iter().map(|x| ratio(x) * ratio(x)).sum()))
}

/// `√Σx²` of finite numbers.
pub fn length(inputs: &[f64]) -> Wide {
    square_of_length(inputs).root()
}

/// `ḡ·x/√Σx²`.
pub fn norm_share(g: f64, x: f64, inputs: &[f64]) -> Wide {
    let ḡ = Wide::new(g);
    match inputs.iter().filter(|x| x.is_infinite()).count() {
        0 if inputs.iter().all(|&x| x == 0.0) => ḡ.times(Wide::new(0.0)),
        0 => ḡ.times(Wide::new(x)).over(length(inputs)),
        _ if x.is_finite() => ḡ.times(Wide::new(0.0)),
        1 => ḡ.times(Wide::new(x.signum())),
        _ => Wide::new(f64::NAN),
    }
}
