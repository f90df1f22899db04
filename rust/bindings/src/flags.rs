//! The processor's floating-point flags, which no operation leaves behind.
//!
//! Arithmetic here overflows and divides by zero as a matter of course, and the processor notes that in
//! flags that stay set. Python itself ignores them, but NumPy looks at them after each of its loops, also
//! over objects whose operators are ours, and warns or raises.
//!
//! Two flags stay as they are: that a result was rounded, which nearly every operation sets and NumPy does
//! not ask for, and that an operand was subnormal.
//!
//! Reading the flags takes longer than the sum of two numbers, so an operation does so only if its value and
//! its operands say that one may be set ([`after`]). What is seldom called puts back what it found
//! ([`keeping`]).

use std::hint::black_box;
use zeroproof::Op;

/// Clears the flags that an op may have set, which made this value of these operands; for an op of one
/// operand `b` is `a` again.
#[inline(always)]
pub(crate) fn after(op: Op, a: f64, b: f64, value: f64) {
    if !op.leaves_no_flags(a, b, value) {
        clear_after(value);
    }
}

/// Clears the flags once the value was computed.
#[inline(always)]
fn clear_after(value: f64) {
    let control = processor::read_after(value);
    if control & processor::FLAGS != 0 {
        processor::write(control & !processor::FLAGS);
    }
}

/// What `f` gives, with the flags as they were before.
#[inline]
pub(crate) fn keeping<R>(f: impl FnOnce() -> R) -> R {
    let before = processor::read_after(0.0);
    // The compiler does not know that arithmetic sets flags: only what it cannot see through stays between
    // the two readings.
    let result = black_box(black_box(f)());
    let now = processor::read_after(0.0);
    if (now ^ before) & processor::FLAGS != 0 {
        processor::write((now & !processor::FLAGS) | (before & processor::FLAGS));
    }
    result
}

/// The register of flags: the one unsafe part. Only flags are ever changed, never how is rounded or
/// what traps, on which compiled code relies.
#[cfg(target_arch = "x86_64")]
mod processor {
    use std::arch::asm;

    pub(super) type Register = u32;

    /// Invalid operation, division by zero, overflow, underflow.
    pub(super) const FLAGS: Register = 0b1_1101;

    /// Reads the register once the value was computed.
    #[inline(always)]
    pub(super) fn read_after(value: f64) -> Register {
        let mut register = 0;
        // SAFETY: stores four bytes at the pointer, which is valid for that. The value is an operand that is
        // not used, so that the compiler computes it before.
        unsafe {
            asm!(
                "stmxcsr [{place}] /* {value} */",
                place = in(reg) &raw mut register,
                value = in(xmm_reg) value,
                options(nostack, preserves_flags)
            );
        }
        register
    }

    #[cold]
    #[inline(never)]
    pub(super) fn write(register: Register) {
        // SAFETY: loads four bytes that were read from the register, flags apart, so no reserved bit is
        // set and rounding and masks stay. Flags may change, since `preserves_flags` is not claimed.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, readonly)) }
    }
}

#[cfg(target_arch = "aarch64")]
mod processor {
    use std::arch::asm;

    pub(super) type Register = u64;

    /// Invalid operation, division by zero, overflow, underflow.
    pub(super) const FLAGS: Register = 0b1111;

    /// Reads the register once the value was computed.
    #[inline(always)]
    pub(super) fn read_after(value: f64) -> Register {
        let register;
        // SAFETY: reads the status register, which every program may. The value is an operand that is not
        // used, so that the compiler computes it before.
        unsafe {
            asm!(
                "mrs {register}, fpsr /* {value} */",
                register = out(reg) register,
                value = in(vreg) value,
                options(nostack, preserves_flags)
            );
        }
        register
    }

    #[cold]
    #[inline(never)]
    pub(super) fn write(register: Register) {
        // SAFETY: the status register holds flags only, which compiled code does not rely on.
        unsafe { asm!("msr fpsr, {}", in(reg) register, options(nostack)) }
    }
}

/// Elsewhere NumPy may warn.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod processor {
    pub(super) type Register = u32;
    pub(super) const FLAGS: Register = 0;

    pub(super) const fn read_after(_value: f64) -> Register {
        0
    }

    pub(super) const fn write(_register: Register) {}
}
