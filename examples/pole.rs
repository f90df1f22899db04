//! Drives a two-link arm through its singular pose, with gradients that stay finite.
//!
//! The joint step that moves the hand by v is J⁻¹v. At the stretched pose the determinant of J is 0, so the
//! step is not REAL there. Bounded partials still say which way to turn.
//!
//! Run: cargo run --release --example pole

use zeroproof::{Error, ModeState, Statistics, Tape};

/// The step of the elbow for a hand that is asked to move outward by 1: 1 / sin(elbow) with unit links.
fn main() -> Result<(), Error> {
    let tape = Tape::new();
    for elbow in [-0.1, -1e-8, 0.0, 1e-8, 0.1] {
        let angle = tape.parameter(elbow);
        let step = 1.0 / angle.sin();
        step.backward()?;
        let (classical, status) = (angle.gradient().unwrap(), angle.status());
        angle.zero_gradient();
        step.backward_with(1.0, &ModeState::saturating(1.0)?, &mut Statistics::new())?;
        let bounded = angle.gradient().unwrap();
        println!(
            "elbow {elbow:>6e}: step {}, gradient {classical} {status:?}, bounded {bounded}",
            step.value()
        );
    }
    Ok(())
}
