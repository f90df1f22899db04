//! Hysteresis: a switch between Mask-REAL and Saturating driven by the statistics of each batch.

use crate::error::Error;

/// Thresholds on the tenth percentile of `q`, the distances to poles, and on the ninetieth of
/// `g = 1/q`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HysteresisPolicy {
    tau_q_on: f64,
    tau_q_off: f64,
    g_on: Option<f64>,
    g_off: Option<f64>,
}

impl HysteresisPolicy {
    /// Saturate from `q_p10 ≤ tau_q_on` (or `g_p90 ≥ g_on`) until `q_p10 ≥ tau_q_off` (and not
    /// `g_p90 > g_off`).
    ///
    /// # Errors
    /// [`Error::Policy`] unless `0 ≤ tau_q_on < tau_q_off < ∞`, `g_on` and `g_off` are positive
    /// and `g_off ≤ g_on`.
    pub fn new(tau_q_on: f64, tau_q_off: f64, g_on: Option<f64>, g_off: Option<f64>) -> Result<Self, Error> {
        if !(tau_q_on >= 0.0 && tau_q_off.is_finite()) {
            return Err(Error::Policy("tau_Q_on and tau_Q_off must be non-negative finite numbers"));
        }
        if tau_q_on >= tau_q_off {
            return Err(Error::Policy(
                "tau_Q_on must be smaller than tau_Q_off: the gap between them is the hysteresis",
            ));
        }
        if [g_on, g_off].into_iter().flatten().any(|g| !(g > 0.0 && g.is_finite())) {
            return Err(Error::Policy("g_on and g_off must be positive finite numbers or None"));
        }
        if g_on.zip(g_off).is_some_and(|(on, off)| off > on) {
            return Err(Error::Policy("g_off must not be larger than g_on"));
        }
        Ok(Self { tau_q_on, tau_q_off, g_on, g_off })
    }

    /// The `q_p10` at which saturating begins.
    pub fn tau_q_on(&self) -> f64 {
        self.tau_q_on
    }

    /// The `q_p10` at which it ends.
    pub fn tau_q_off(&self) -> f64 {
        self.tau_q_off
    }

    /// The `g_p90` at which saturating begins.
    pub fn g_on(&self) -> Option<f64> {
        self.g_on
    }

    /// The `g_p90` above which it does not end.
    pub fn g_off(&self) -> Option<f64> {
        self.g_off
    }

    /// The next state, from the current one and the batch's percentiles.
    pub fn next(&self, saturating: bool, q_p10: f64, g_p90: f64) -> bool {
        if saturating {
            let leaves = q_p10 >= self.tau_q_off && !self.g_off.is_some_and(|off| g_p90 > off);
            !leaves
        } else {
            q_p10 <= self.tau_q_on || self.g_on.is_some_and(|on| g_p90 >= on)
        }
    }
}
