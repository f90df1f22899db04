//! Rounding to integers, and the remainder: the integers are decisions.

use super::super::rounding::{Ceil, Floor, Remainder, Round};
use super::{flat_binary, flat_unary};

flat_unary! { Floor Ceil Round }
flat_binary! { Remainder }
