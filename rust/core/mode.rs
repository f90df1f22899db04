//! Which gradient a singular node gets: the state that a backward pass reads once, at its start.

use crate::error::Error;
use std::sync::Arc;

/// The policy for gradients at non-REAL nodes and singular ops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GradientMode {
    /// A non-REAL node passes exactly zero to its inputs.
    #[default]
    MaskReal = 0,
    /// Singular ops use bounded partials; only `Φ` is silenced.
    Saturating = 1,
    /// Each singular op chooses by its distance to the pole.
    Hybrid = 2,
}

/// An interval of an input's value in which singular ops saturate, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Region {
    /// The interval `[low, high]`.
    pub fn new(low: f64, high: f64) -> Result<Self, Error> {
        if low.is_finite() && high.is_finite() && low <= high {
            Ok(Self { low, high })
        } else {
            Err(Error::Region(low, high))
        }
    }

    /// Whether `x` lies in it.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

/// Mode, bound, local threshold and exploration regions.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeState {
    /// The policy.
    pub mode: GradientMode,
    bound: f64,
    delta: Option<f64>,
    regions: Arc<[Region]>,
}

impl Default for ModeState {
    fn default() -> Self {
        Self { mode: GradientMode::MaskReal, bound: 1.0, delta: None, regions: Arc::new([]) }
    }
}

impl ModeState {
    /// Mask-REAL.
    pub fn mask_real() -> Self {
        Self::default()
    }

    /// Saturating with bound `b`, a positive finite number.
    pub fn saturating(bound: f64) -> Result<Self, Error> {
        let mut state = Self { mode: GradientMode::Saturating, ..Self::default() };
        state.set_bound(bound)?;
        Ok(state)
    }

    /// Hybrid with local threshold `δ`: Saturating within `δ` of a pole, Mask-REAL elsewhere.
    pub fn hybrid(delta: Option<f64>) -> Result<Self, Error> {
        let mut state = Self { mode: GradientMode::Hybrid, ..Self::default() };
        state.set_delta(delta)?;
        Ok(state)
    }

    /// The saturation bound `b`.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Sets the saturation bound.
    pub fn set_bound(&mut self, bound: f64) -> Result<(), Error> {
        if !(bound > 0.0 && bound.is_finite()) {
            return Err(Error::SaturationBound(bound));
        }
        self.bound = bound;
        Ok(())
    }

    /// The local threshold `δ`.
    pub fn delta(&self) -> Option<f64> {
        self.delta
    }

    /// Sets the local threshold.
    pub fn set_delta(&mut self, delta: Option<f64>) -> Result<(), Error> {
        if let Some(d) = delta.filter(|d| !(*d >= 0.0 && d.is_finite())) {
            return Err(Error::LocalThreshold(d));
        }
        self.delta = delta;
        Ok(())
    }

    /// The exploration regions.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Sets the exploration regions.
    pub fn set_regions(&mut self, regions: &[Region]) {
        self.regions = regions.into();
    }

    /// Whether an input of this value lies in an exploration region.
    pub fn explores(&self, x: f64) -> bool {
        self.regions.iter().any(|region| region.contains(x))
    }
}
