//! Statistics of the decisions of Hybrid mode, and of what every pass silenced or left out.
//!
//! Memory is bounded whatever the number of decisions, and the statistics of two workers merge into
//! what one would have measured: counts, minima and maxima exactly, quantiles exactly up to 1024
//! decisions and within 0.8 % beyond, means exactly, but for large batches, where they are within a few
//! ulp.

use crate::error::Error;
use crate::mode::{ModeState, Region};
use crate::pass_counts::PassCounts;
use crate::poles::PoleRecord;
use crate::policy::HysteresisPolicy;
use crate::quantiles::{Quantiles, Tally};
use crate::schedule::HybridSchedule;
use crate::wire::{Reader, Unreadable, Writer, expect};

/// How a record of statistics begins, and the version of its format.
const RECORD: ([u8; 3], u8) = (*b"zps", 1);

/// Counts since the last epoch began.
#[derive(Clone, Copy, Debug, Default)]
struct EpochCounts {
    decisions: u64,
    saturating: u64,
    near_pole: u64,
    dropped: u64,
    masked: u64,
}

/// What backward passes measured.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    epoch: Option<i64>,
    /// The run that the epoch belongs to.
    run: u64,
    /// What the schedule put in force for the epoch.
    epoch_state: Option<ModeState>,
    counts: EpochCounts,
    q_min_epoch: Option<f64>,
    /// Distances since the batch began.
    batch: Quantiles,
    /// Where poles were met.
    #[doc(hidden)]
    pub poles: PoleRecord,
    policy: Option<HysteresisPolicy>,
    saturating: bool,
    flips: u64,
    batches: u64,
}

macro_rules! summary {
    ($($(#[$doc:meta])* $field:ident: $kind:ty,)*) => {
        /// The statistics at one moment; `None` where there is no data.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Summary {
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl Summary {
            /// Every field by name, in order.
            pub fn fields(&self) -> Vec<(&'static str, SummaryValue)> {
                vec![$((stringify!($field), self.$field.clone().into()),)*]
            }
        }
    };
}

summary! {
    /// The epoch of the last `begin_epoch`.
    current_epoch: Option<i64>,
    /// δ in force, or that of the last epoch if none is.
    local_threshold: Option<f64>,
    /// Decisions of singular ops in this epoch.
    total_gradient_calls: u64,
    /// Of those, how many saturated.
    saturating_activations: u64,
    /// Of those, how many followed Mask-REAL.
    mask_real_activations: u64,
    /// The share that saturated.
    saturating_ratio: Option<f64>,
    /// The share with distance ≤ δ.
    near_pole_ratio: Option<f64>,
    /// Contributions left out because they were not REAL, in this epoch.
    dropped_contributions: u64,
    /// Nodes silenced in this epoch.
    masked_nodes: u64,
    /// The smallest distance of the batch.
    q_min_batch: Option<f64>,
    /// The smallest distance of the epoch.
    q_min_epoch: Option<f64>,
    /// The mean distance of the batch.
    q_mean_batch: Option<f64>,
    /// The median distance of the batch.
    q_median_batch: Option<f64>,
    /// The tenth percentile of the distances of the batch.
    q_p10: Option<f64>,
    /// The fiftieth.
    q_p50: Option<f64>,
    /// The ninetieth.
    q_p90: Option<f64>,
    /// The tenth percentile of g = 1/q.
    g_p10: Option<f64>,
    /// The fiftieth.
    g_p50: Option<f64>,
    /// The ninetieth.
    g_p90: Option<f64>,
    /// The exploration regions in force, or those of the last epoch if there is neither δ nor region.
    exploration_regions: Vec<Region>,
    /// `"SAT"` or `"MR"`; `None` without a policy.
    policy_mode: Option<&'static str>,
    /// The policy's threshold to begin saturating.
    tau_q_on: Option<f64>,
    /// The policy's threshold to end it.
    tau_q_off: Option<f64>,
    /// How often the policy changed state.
    policy_flip_count: u64,
    /// Flips per batch.
    flip_rate: Option<f64>,
}

/// A value of a [`Summary`].
#[derive(Clone, Debug, PartialEq)]
pub enum SummaryValue {
    /// No data.
    Nothing,
    /// A count or an epoch.
    Integer(i64),
    /// A distance, a share or a rate.
    Number(f64),
    /// A state.
    Text(&'static str),
    /// Regions.
    Regions(Vec<Region>),
}

macro_rules! summary_value {
    ($($kind:ty => |$value:ident| $variant:expr;)*) => {$(
        impl From<$kind> for SummaryValue {
            fn from($value: $kind) -> Self {
                $variant
            }
        }
    )*};
}
summary_value! {
    u64 => |count| Self::Integer(count as i64);
    Option<i64> => |epoch| epoch.map_or(Self::Nothing, Self::Integer);
    Option<f64> => |number| number.map_or(Self::Nothing, Self::Number);
    Option<&'static str> => |text| text.map_or(Self::Nothing, Self::Text);
    Vec<Region> => |regions| Self::Regions(regions);
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Statistics {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the decision of a singular op at distance `d` from its pole, and counts it.
    /// `coordinate` is the value of the one input it depends on; `explored` says whether any lies
    /// in an exploration region.
    #[doc(hidden)]
    pub fn decide(&mut self, state: &ModeState, d: f64, coordinate: Option<f64>, explored: bool) -> bool {
        let near = is_near(state, d);
        let saturate = self.would_saturate(state, d, explored);
        self.counts.decisions += 1;
        self.counts.near_pole += u64::from(near);
        self.counts.saturating += u64::from(saturate);
        self.take_distance(d);
        if let Some(x) = coordinate {
            self.poles.record(d, x);
        }
        saturate
    }

    /// The decision of a singular op, without counting it.
    #[doc(hidden)]
    pub fn would_saturate(&self, state: &ModeState, d: f64, explored: bool) -> bool {
        explored || self.saturating || is_near(state, d)
    }

    /// The decision for a distance given by hand, at a coordinate if one is known.
    ///
    /// # Errors
    /// [`Error::Distance`] for a distance that is negative or not finite.
    pub fn decide_at(&mut self, state: &ModeState, d: f64, coordinate: Option<f64>) -> Result<bool, Error> {
        check_distance(d)?;
        let coordinate = coordinate.filter(|x| x.is_finite());
        let explored = coordinate.is_some_and(|x| state.explores(x));
        Ok(self.decide(state, d, coordinate, explored))
    }

    /// Feeds a distance into the statistics without a decision.
    ///
    /// # Errors
    /// [`Error::Distance`] for a distance that is negative or not finite.
    pub fn add_distance(&mut self, d: f64) -> Result<(), Error> {
        check_distance(d)?;
        self.take_distance(d);
        Ok(())
    }

    fn take_distance(&mut self, d: f64) {
        self.q_min_epoch = Some(self.q_min_epoch.map_or(d, |q| q.min(d)));
        self.batch.add(d);
    }

    /// Counts what a pass silenced or left out.
    pub fn add_pass(&mut self, counts: PassCounts) {
        self.counts.dropped += counts.dropped;
        self.counts.masked += counts.masked;
    }

    /// How many contributions were not REAL and left out since the epoch began.
    pub fn dropped_contributions(&self) -> u64 {
        self.counts.dropped
    }

    /// Says which run, by a number of the caller's, the next epoch belongs to. When that changes, the
    /// epoch before belongs to another run, and what it measured is forgotten.
    pub fn begin_run(&mut self, run: u64) {
        if self.run != run {
            self.run = run;
            self.q_min_epoch = None;
            self.poles = PoleRecord::default();
        }
    }

    /// Begins an epoch: its figures start anew, and the policy's thresholds are taken over.
    /// Returns the smallest distance and the poles of the epoch before.
    pub fn begin_epoch(
        &mut self,
        epoch: i64,
        schedule: Option<&HybridSchedule>,
        policy: Option<HysteresisPolicy>,
    ) -> (Option<f64>, Vec<f64>) {
        let poles = self.poles.poles();
        self.poles = schedule.map_or_else(PoleRecord::default, |s| {
            PoleRecord::new(s.pole_detection_threshold, s.pole_exploration_radius)
        });
        self.epoch = Some(epoch);
        self.epoch_state = None;
        self.counts = EpochCounts::default();
        self.set_policy(policy);
        (self.q_min_epoch.take(), poles)
    }

    /// Remembers what a schedule put in force for the epoch, so that the summary can show it after
    /// its block has been left.
    pub fn set_epoch_state(&mut self, state: ModeState) {
        self.epoch_state = Some(state);
    }

    /// Takes over a policy's thresholds. Without a policy nothing saturates on its account.
    pub fn set_policy(&mut self, policy: Option<HysteresisPolicy>) {
        self.policy = policy;
        self.saturating &= policy.is_some();
    }

    /// The policy in force.
    pub fn policy(&self) -> Option<HysteresisPolicy> {
        self.policy
    }

    /// Ends a batch: the policy's state follows its percentiles, and batch figures start anew.
    pub fn end_batch(&mut self) {
        // Without a policy nobody asks for percentiles, which sort.
        if let Some(policy) = self.policy
            && let Some([q_p10]) = self.batch.quantiles([0.1])
            && let Some([g_p90]) = self.batch.reciprocal_quantiles([0.9])
        {
            let next = policy.next(self.saturating, q_p10, g_p90);
            self.flips += u64::from(next != self.saturating);
            self.saturating = next;
            self.batches += 1;
        }
        self.batch = Quantiles::default();
    }

    /// Clears the counts and the batch figures; the epoch and the policy's state stay.
    pub fn reset(&mut self) {
        self.counts = EpochCounts::default();
        self.batch = Quantiles::default();
    }

    /// For a worker that decides as `self` does and counts on its own, to be merged.
    pub fn worker(&self) -> Self {
        Self {
            poles: self.poles.empty_like(),
            policy: self.policy,
            saturating: self.saturating,
            ..Self::default()
        }
    }

    /// Nothing measured yet, in this state of the hysteresis policy.
    pub(crate) fn that_saturates(saturating: bool) -> Self {
        Self { saturating, ..Self::default() }
    }

    /// Whether the hysteresis policy saturates.
    pub fn saturates(&self) -> bool {
        self.saturating
    }

    /// Whether the next distances of the batch are still kept one by one.
    #[doc(hidden)]
    pub fn keeps_distances(&self) -> bool {
        self.batch.keeps_values()
    }

    /// Counts decisions in bulk, all of which saturate if the policy does.
    #[doc(hidden)]
    pub fn add_tally(&mut self, tally: &Tally) {
        self.counts.decisions += tally.count();
        self.counts.near_pole += tally.near;
        self.counts.saturating += tally.saturating;
        if let Some(d) = tally.min() {
            self.q_min_epoch = Some(self.q_min_epoch.map_or(d, |q| q.min(d)));
        }
        self.batch.add_tally(tally);
    }

    /// Adds what another worker measured. Epoch and policy stay those of `self`.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.counts, &other.counts);
        mine.decisions += theirs.decisions;
        mine.saturating += theirs.saturating;
        mine.near_pole += theirs.near_pole;
        mine.dropped += theirs.dropped;
        mine.masked += theirs.masked;
        self.q_min_epoch = match (self.q_min_epoch, other.q_min_epoch) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.batch.merge(&other.batch);
        self.poles.merge(&other.poles);
    }

    /// What was measured, as bytes for another process: neither epoch nor policy.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(RECORD.0, RECORD.1);
        self.write(&mut to);
        to.finish()
    }

    /// What another process measured.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader::new(bytes, RECORD.0, RECORD.1)?;
        let read = Self::read(&mut from)?;
        from.end()?;
        Ok(read)
    }

    /// Writes a record.
    #[doc(hidden)]
    pub fn write(&self, to: &mut Writer) {
        let EpochCounts { decisions, saturating, near_pole, dropped, masked } = self.counts;
        [decisions, saturating, near_pole, dropped, masked].into_iter().for_each(|count| to.count(count));
        to.option(self.q_min_epoch);
        self.batch.write(to);
        self.poles.write(to);
    }

    /// Reads a record.
    #[doc(hidden)]
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (decisions, saturating, near_pole) = (from.count()?, from.count()?, from.count()?);
        let (dropped, masked) = (from.count()?, from.count()?);
        let counts = EpochCounts { decisions, saturating, near_pole, dropped, masked };
        // Far from an overflow, however many are merged.
        let most = 1 << 60;
        expect([decisions, dropped, masked].iter().all(|&count| count < most) && saturating <= decisions)?;
        expect(near_pole <= decisions)?;
        let q_min_epoch = from.option()?;
        expect(q_min_epoch.is_none_or(|q| q >= 0.0 && q.is_finite()))?;
        let (batch, poles) = (Quantiles::read(from)?, PoleRecord::read(from)?);
        Ok(Self { counts, q_min_epoch, batch, poles, ..Self::default() })
    }

    /// A copy of what was measured, without epoch and policy.
    pub fn measured(&self) -> Self {
        let (batch, poles) = (self.batch.clone(), self.poles.clone());
        Self { counts: self.counts, q_min_epoch: self.q_min_epoch, batch, poles, ..Self::default() }
    }

    /// For a worker in another process: whether the policy saturates, and the measures of the record
    /// of poles, the distance up to which decisions are recorded and that of coordinates of one pole.
    pub fn settings(&self) -> (bool, f64, f64) {
        let (threshold, radius) = self.poles.measures();
        (self.saturating, threshold, radius)
    }

    /// Nothing measured yet, with the settings of another process.
    pub fn with_settings((saturating, threshold, radius): (bool, f64, f64)) -> Self {
        Self { saturating, poles: PoleRecord::new(threshold, radius), ..Self::default() }
    }

    /// How many nodes were silenced since the epoch began.
    pub fn masked_nodes(&self) -> u64 {
        self.counts.masked
    }

    /// Where near-pole decisions of this epoch happened.
    pub fn detected_poles(&self) -> Vec<f64> {
        self.poles.poles()
    }

    /// Which of the batch's decisions came within `threshold` of a pole, by number from 0. Looks at
    /// the first 1024.
    pub fn near_decisions(&self, threshold: f64) -> Vec<usize> {
        let first = self.batch.first().iter().enumerate();
        first.filter(|(_, q)| **q <= threshold).map(|(index, _)| index).collect()
    }

    /// The smallest distance of the batch.
    pub fn q_min_batch(&self) -> Option<f64> {
        self.batch.min()
    }

    /// The smallest distance of the epoch.
    pub fn q_min_epoch(&self) -> Option<f64> {
        self.q_min_epoch
    }

    /// Every figure, with the δ and the regions of `state`, or those of the epoch if it has none.
    pub fn summary(&self, state: &ModeState) -> Summary {
        let unset = state.delta().is_none() && state.regions().is_empty();
        let state = self.epoch_state.as_ref().filter(|_| unset).unwrap_or(state);
        let EpochCounts { decisions, saturating, near_pole, dropped, masked } = self.counts;
        let q = self.batch.quantiles([0.1, 0.5, 0.9]);
        let g = self.batch.reciprocal_quantiles([0.1, 0.5, 0.9]);
        Summary {
            current_epoch: self.epoch,
            local_threshold: state.delta(),
            total_gradient_calls: decisions,
            saturating_activations: saturating,
            mask_real_activations: decisions - saturating,
            saturating_ratio: ratio(saturating, decisions),
            near_pole_ratio: ratio(near_pole, decisions),
            dropped_contributions: dropped,
            masked_nodes: masked,
            q_min_batch: self.batch.min(),
            q_min_epoch: self.q_min_epoch,
            q_mean_batch: self.batch.mean(),
            q_median_batch: q.map(|q| q[1]),
            q_p10: q.map(|q| q[0]),
            q_p50: q.map(|q| q[1]),
            q_p90: q.map(|q| q[2]),
            g_p10: g.map(|g| g[0]),
            g_p50: g.map(|g| g[1]),
            g_p90: g.map(|g| g[2]),
            exploration_regions: state.regions().to_vec(),
            policy_mode: self.policy.map(|_| if self.saturating { "SAT" } else { "MR" }),
            tau_q_on: self.policy.map(|p| p.tau_q_on()),
            tau_q_off: self.policy.map(|p| p.tau_q_off()),
            policy_flip_count: self.flips,
            flip_rate: ratio(self.flips, self.batches),
        }
    }
}

/// Whether `d` is within the local threshold.
fn is_near(state: &ModeState, d: f64) -> bool {
    state.delta().is_some_and(|delta| d <= delta)
}

fn check_distance(d: f64) -> Result<(), Error> {
    if d >= 0.0 && d.is_finite() { Ok(()) } else { Err(Error::Distance(d)) }
}
