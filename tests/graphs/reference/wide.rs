//! A double whose exponent cannot overflow, for the reference only.

/// `mantissa·2^exponent`; zeros, infinities and NaN stand in the mantissa alone.
#[derive(Clone, Copy)]
pub struct Wide(f64, i32);

impl Wide {
    pub fn new(x: f64) -> Self {
        Self(x, 0).normalized()
    }

    fn normalized(self) -> Self {
        let Self(m, e) = self;
        if m == 0.0 || !m.is_finite() {
            return Self(m, 0);
        }
        if m.abs() < f64::MIN_POSITIVE {
            return Self(m * 2f64.powi(64), e - 64).normalized();
        }
        let shift = (m.to_bits() >> 52 & 0x7ff) as i32 - 1023;
        let unit = f64::from_bits(m.to_bits() & !(0x7ff << 52) | 1023 << 52);
        Self(unit, e + shift)
    }

    /// −1 or 1 for a REAL number but 0; 0 for anything else.
    pub fn sign(self) -> f64 {
        if self.0 == 0.0 || !self.0.is_finite() { 0.0 } else { self.0.signum() }
    }

    /// The largest power of two up to its magnitude.
    pub fn power_of_two(self) -> Self {
        Self(1.0, self.1)
    }

    pub fn times(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 + other.1).normalized()
    }

    pub fn over(self, other: Self) -> Self {
        Self(self.0 / other.0, self.1 - other.1).normalized()
    }

    pub fn power(self, n: u32) -> Self {
        (0..n).fold(Self(1.0, 0), |product, _| product.times(self))
    }

    pub fn root(self) -> Self {
        let odd = self.1.rem_euclid(2);
        Self((self.0 * f64::from(1 + odd)).sqrt(), (self.1 - odd) / 2).normalized()
    }

    /// `√(self² + b²)`, `b` not 0.
    pub fn hypot(self, b: f64) -> Self {
        let (x, b) = (Self(self.0.abs(), self.1), Self::new(b));
        let below = x.0 == 0.0 || (x.0.is_finite() && (x.1, x.0) < (b.1, b.0));
        let (large, small) = if below { (b, x) } else { (x, b) };
        let ratio = small.over(large).narrow();
        large.times(Self::new((1.0 + ratio * ratio).sqrt()))
    }

    /// `eˣ`; beyond ±2800 something as good as zero or infinite that is neither.
    pub fn exp(x: f64) -> Self {
        let near = x.clamp(-2800.0, 2800.0);
        match near.abs() {
            _ if !x.is_finite() => Self::new(x.exp()),
            ..700.0 => Self::new(near.exp()),
            ..1400.0 => Self::new((near / 2.0).exp()).power(2),
            _ => Self::new((near / 4.0).exp()).power(4),
        }
    }

    pub fn narrow(self) -> f64 {
        match self.1 {
            e if e > 1023 => self.0 * f64::INFINITY,
            e if e < -1080 => self.0 * 0.0,
            e => self.0 * 2f64.powi(e / 2) * 2f64.powi(e - e / 2),
        }
    }
}
