//! What `Op::leaves_no_flags` promises: where it holds, the processor's flags are as they were.
//!
//! The compiler knows of no flags, so operands and values go through `black_box`. Run with `--release` for
//! millions of operands of each op; the code that is tried is what is shipped only then, too. Therefore it is
//! a test of this package: the others are compiled without optimization.

#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use std::hint::black_box;
use zeroproof::Op;
use zeroproof::op::Arity;

#[cfg(target_arch = "x86_64")]
mod processor {
    use std::arch::asm;

    /// Invalid operation, division by zero, overflow, underflow.
    const FLAGS: u32 = 0b1_1101;

    fn register() -> u32 {
        let mut register = 0u32;
        // SAFETY: stores four bytes at a valid pointer.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut register, options(nostack)) }
        register
    }

    pub fn flags() -> u32 {
        register() & FLAGS
    }

    pub fn clear() {
        let register = register() & !FLAGS;
        // SAFETY: loads what was read from the register, flags apart.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack)) }
    }
}

#[cfg(target_arch = "aarch64")]
mod processor {
    use std::arch::asm;

    /// Invalid operation, division by zero, overflow, underflow.
    const FLAGS: u64 = 0b1111;

    fn register() -> u64 {
        let register;
        // SAFETY: reads the status register, which every program may.
        unsafe { asm!("mrs {}, fpsr", out(reg) register, options(nostack)) }
        register
    }

    pub fn flags() -> u64 {
        register() & FLAGS
    }

    pub fn clear() {
        // SAFETY: the status register holds flags only.
        unsafe { asm!("msr fpsr, {}", in(reg) register() & !FLAGS, options(nostack)) }
    }
}

/// Random numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A double of this many powers of two around 1, of either sign.
    fn spread(&mut self, powers: u64) -> f64 {
        let exponent = 1023 - powers + self.below(2 * powers + 1);
        f64::from_bits(self.bits() >> 63 << 63 | exponent << 52 | self.bits() >> 12)
    }

    fn nudged(&mut self, x: f64) -> f64 {
        let steps = self.below(9) as i64 - 4;
        f64::from_bits((x.to_bits() as i64 + steps) as u64)
    }

    /// An operand of the kind at which something happens in some op.
    fn operand(&mut self) -> f64 {
        let sign = if self.bits() & 1 == 0 { 1.0 } else { -1.0 };
        match self.below(10) {
            0 => self.spread(1),
            1 => self.spread(10),
            2 | 3 => self.spread(100),
            4 => sign * self.below(2000) as f64 / 4.0,
            5 => {
                let multiple = self.below(1 << 20) as f64 * std::f64::consts::FRAC_PI_2;
                sign * self.nudged(multiple)
            }
            6 => sign * self.nudged(1.0),
            7 => sign * f64::from_bits((1023 - 100 + self.below(201)) << 52),
            8 => sign * (650.0 + 200.0 * self.spread(3).abs()),
            _ => {
                let landmarks = [1.0, 0.5, 2.0, 709.782712893384, 745.1332191019412, 708.3964185322641];
                let landmark = landmarks[self.below(6) as usize];
                sign * self.nudged(landmark)
            }
        }
    }

    /// The other operand, often one at which something cancels or happens.
    fn other(&mut self, a: f64) -> f64 {
        match self.below(6) {
            0 => a,
            1 => -a,
            2 => self.nudged(a),
            3 => 1.0 / a,
            _ => self.operand(),
        }
    }
}

/// What an op makes of these operands, and whether it leaves a flag behind.
fn watched(op: Op, a: f64, b: f64) -> (f64, bool) {
    let (a, b) = (black_box(a), black_box(b));
    processor::clear();
    let value = black_box(black_box(op).value(a, b));
    (value, processor::flags() != 0)
}

#[test]
fn flags_are_seen() {
    let infinite = f64::INFINITY;
    for (op, a, b) in [
        (Op::Div, 1.0, 0.0),
        (Op::Sub, infinite, infinite),
        (Op::Mul, 1e300, 1e300),
        (Op::Mul, 1e-300, 1e-300),
    ] {
        assert!(watched(op, a, b).1, "{op:?}");
    }
    assert!(!watched(Op::Mul, 0.1, 0.3).1);
}

#[test]
fn no_op_sets_a_flag_where_it_is_said_to_leave_none() {
    let count = if cfg!(debug_assertions) { 100_000 } else { 2_000_000 };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut broken, mut silent) = (vec![], vec![]);
    let elementwise =
        Op::ALL.iter().filter(|op| matches!(op.arity(), Arity::Unary | Arity::Binary | Arity::Power));
    for &op in elementwise {
        let (mut promised, before) = (0, broken.len());
        for _ in 0..count {
            let a = random.operand();
            let b = match op.arity() {
                Arity::Power => f64::from(random.below(200) as i32 - 100),
                Arity::Binary => random.other(a),
                _ => a,
            };
            let (value, is_set) = watched(op, a, b);
            if op.leaves_no_flags(a, b, value) {
                promised += 1;
                if is_set && broken.len() < before + 3 {
                    broken.push(format!("{op:?}({a:e}, {b:e}) = {value:e}"));
                }
            }
        }
        if promised < count / 10 {
            silent.push(op);
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    // What promises nothing would pass whatever it does.
    assert_eq!(silent, [Op::PowInt, Op::Softplus, Op::LogSigmoid]);
}

/// What makes an op special in the rule does set a flag elsewhere.
#[test]
fn ops_with_narrow_operands_need_them() {
    for (op, a, b) in [
        (Op::Atan2, 7.121516957665891e-26, 1.2379400392853803e27),
        (Op::Sigmoid, 709.7827128933843, 709.7827128933843),
        (Op::Softplus, 745.1332191019414, 745.1332191019414),
        (Op::LogSigmoid, -891.4471189635619, -891.4471189635619),
        (Op::Sinh, -708.3964185322643, -708.3964185322643),
        (Op::Cosh, 709.7827128933843, 709.7827128933843),
        (Op::LogNdtr, 22.25, 22.25),
    ] {
        let (value, is_set) = watched(op, a, b);
        assert!(is_set && !op.leaves_no_flags(a, b, value), "{op:?} {value:e} {is_set}");
    }
}
