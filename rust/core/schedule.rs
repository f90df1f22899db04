//! The schedule δ(t) of Hybrid mode.

use crate::elementary;
use crate::error::Error;
use crate::mode::{ModeState, Region};

/// How δ goes from its first to its last value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScheduleType {
    /// `δ₀ + (δ₁ − δ₀)·p`.
    Linear,
    /// `δ₀·(δ₁/δ₀)^p`; with a δ that is 0 there is no ratio: δ₀ at p = 0, else δ₁.
    #[default]
    Exponential,
    /// `δ₁ + ½(δ₀ − δ₁)(1 + cos πp)`.
    Cosine,
}

/// Warm-up, decay, adaptive δ and forced exploration of detected poles.
#[derive(Clone, Debug, PartialEq)]
pub struct HybridSchedule {
    /// Epochs without δ at the beginning: Mask-REAL outside exploration regions.
    pub warmup_epochs: u32,
    /// Epochs over which δ decays after them.
    pub transition_epochs: u32,
    /// δ at the beginning of the decay; 0 if only the pole itself is near.
    pub delta_init: f64,
    /// δ at its end, which may be 0 as well.
    pub delta_final: f64,
    /// The shape of the decay.
    pub schedule_type: ScheduleType,
    /// Without it there is neither δ nor region, and Hybrid is Mask-REAL.
    pub enable: bool,
    /// The saturation bound in force.
    pub saturating_bound: f64,
    /// Whether detected poles are explored.
    pub force_pole_exploration: bool,
    /// Half the width of an exploration region.
    pub pole_exploration_radius: f64,
    /// For how many epochs a pole is explored.
    pub pole_exploration_epochs: u32,
    /// The distance below which a decision counts as at a pole.
    pub pole_detection_threshold: f64,
    /// Whether δ grows when the last epoch came close to a pole.
    pub adaptive_delta: bool,
    /// δ is never below this.
    pub min_delta: f64,
    /// The poles known so far.
    pub known_poles: Vec<f64>,
    /// Regions with the first and the last epoch in which they are explored.
    pub explorations: Vec<(Region, i64, i64)>,
}

impl Default for HybridSchedule {
    fn default() -> Self {
        Self {
            warmup_epochs: 0,
            transition_epochs: 20,
            delta_init: 1e-2,
            delta_final: 1e-6,
            schedule_type: ScheduleType::Exponential,
            enable: true,
            saturating_bound: 1.0,
            force_pole_exploration: true,
            pole_exploration_radius: 0.05,
            pole_exploration_epochs: 5,
            pole_detection_threshold: 0.1,
            adaptive_delta: true,
            min_delta: 1e-8,
            known_poles: vec![],
            explorations: vec![],
        }
    }
}

/// Where adaptive δ begins to grow: a smallest distance below this.
const ADAPTIVE_DISTANCE: f64 = 0.1;

/// `δ₀·(δ₁/δ₀)^p`.
fn exponential(first: f64, last: f64, p: f64) -> f64 {
    if first == 0.0 || last == 0.0 {
        return if p == 0.0 { first } else { last };
    }
    let ratio = last / first;
    if ratio.is_normal() {
        first * libm::pow(ratio, p)
    } else {
        libm::pow(first, 1.0 - p) * libm::pow(last, p) // the ratio leaves the range of a double
    }
}

impl HybridSchedule {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::ScheduleField`] names the first one out of its range.
    pub fn validate(&self) -> Result<(), Error> {
        let positive = "a positive finite number";
        let not_negative = "a non-negative finite number";
        for (field, value, rule) in [
            ("delta_init", self.delta_init, not_negative),
            ("delta_final", self.delta_final, not_negative),
            ("saturating_bound", self.saturating_bound, positive),
            ("pole_exploration_radius", self.pole_exploration_radius, positive),
            ("pole_detection_threshold", self.pole_detection_threshold, not_negative),
            ("min_delta", self.min_delta, not_negative),
        ] {
            let fits = value.is_finite() && (value > 0.0 || (value == 0.0 && rule == not_negative));
            if !fits {
                return Err(Error::ScheduleField(field, value, rule));
            }
        }
        Ok(())
    }

    /// The first epoch after the decay.
    fn end(&self) -> i64 {
        i64::from(self.warmup_epochs) + i64::from(self.transition_epochs)
    }

    /// Whether the epoch is in warm-up.
    pub fn is_warmup(&self, epoch: i64) -> bool {
        epoch < i64::from(self.warmup_epochs)
    }

    /// Whether δ is decaying in this epoch.
    pub fn is_transitioning(&self, epoch: i64) -> bool {
        self.enable && !self.is_warmup(epoch) && epoch < self.end()
    }

    /// The share of the decay that is done, from 0 to 1.
    fn progress(&self, epoch: i64) -> f64 {
        if self.transition_epochs == 0 {
            return 1.0;
        }
        let done = epoch.saturating_sub(i64::from(self.warmup_epochs)) as f64;
        (done / f64::from(self.transition_epochs)).clamp(0.0, 1.0)
    }

    /// δ in this epoch, given the smallest distance of the epoch before; `None` when disabled or in
    /// warm-up.
    pub fn delta(&self, epoch: i64, q_min: Option<f64>) -> Option<f64> {
        if !self.enable || self.is_warmup(epoch) {
            return None;
        }
        let (first, last, p) = (self.delta_init, self.delta_final, self.progress(epoch));
        let scheduled = match self.schedule_type {
            ScheduleType::Linear => first + (last - first) * p,
            ScheduleType::Exponential => exponential(first, last, p),
            ScheduleType::Cosine => {
                last + 0.5 * (first - last) * (1.0 + elementary::cos(std::f64::consts::PI * p))
            }
        };
        let adapted = match q_min.filter(|_| self.adaptive_delta) {
            // However close the epoch came, a δ of 0 does not grow.
            Some(_) if scheduled == 0.0 => 0.0,
            Some(q_min) => (scheduled * (ADAPTIVE_DISTANCE / q_min).max(1.0)).min(2.0 * first),
            None => scheduled,
        };
        Some(adapted.max(self.min_delta))
    }

    /// One line for people: begins with `disabled`, `warmup`, `transitioning` or `converged`.
    pub fn describe(&self, epoch: i64) -> String {
        match self.delta(epoch, None) {
            _ if !self.enable => "disabled: Hybrid mode acts as Mask-REAL".into(),
            None => format!("warmup: no delta until epoch {}", self.warmup_epochs),
            Some(delta) if self.is_transitioning(epoch) => {
                format!(
                    "transitioning: delta {delta:.3e}, {:.0} % of the decay",
                    100.0 * self.progress(epoch)
                )
            }
            Some(delta) => format!("converged: delta {delta:.3e}"),
        }
    }

    /// Adds each pole that is not within a radius of a known one, to be explored in the epochs
    /// after this one. Poles that are not finite are passed over.
    pub fn update_detected_poles(&mut self, poles: &[f64], epoch: i64) {
        if !self.force_pole_exploration {
            return;
        }
        let radius = self.pole_exploration_radius;
        self.explorations.retain(|&(_, _, last)| last >= epoch);
        for &pole in poles.iter().filter(|pole| pole.is_finite()) {
            if self.known_poles.iter().any(|known| (known - pole).abs() <= radius) {
                continue;
            }
            self.known_poles.push(pole);
            let last = epoch.saturating_add(i64::from(self.pole_exploration_epochs)).min(self.end() - 1);
            if let (Ok(region), true) = (Region::new(pole - radius, pole + radius), last > epoch) {
                self.explorations.push((region, epoch + 1, last));
            }
        }
    }

    /// The regions to explore in this epoch.
    pub fn regions(&self, epoch: i64) -> Vec<Region> {
        let active = |&&(_, first, last): &&(Region, i64, i64)| (first..=last).contains(&epoch);
        let explorations = if self.enable { &self.explorations[..] } else { &[] };
        explorations.iter().filter(active).map(|&(region, _, _)| region).collect()
    }

    /// What a backward pass of this epoch reads.
    ///
    /// # Errors
    /// Those of [`HybridSchedule::validate`].
    pub fn state(&self, epoch: i64, q_min: Option<f64>) -> Result<ModeState, Error> {
        self.validate()?;
        let mut state = ModeState::hybrid(self.delta(epoch, q_min))?;
        state.set_bound(self.saturating_bound)?;
        state.set_regions(&self.regions(epoch));
        Ok(state)
    }
}
