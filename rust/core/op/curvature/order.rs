//! Ops that compare: constant or linear on either side, and 0 at kinks and ties.

use super::super::order::{Abs, ClipMax, ClipMin, Copysign, Maximum, Minimum, Sign};
use super::{flat_binary, flat_unary};

flat_binary! { Minimum Maximum ClipMin ClipMax Copysign }
flat_unary! { Abs Sign }
