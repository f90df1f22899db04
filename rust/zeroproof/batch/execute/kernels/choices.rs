//! Conditions and selections.

use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::batch::program::Predicate;

/// `to = a` where the condition holds, else `b`.
pub(crate) struct Select<'a> {
    pub to: &'a mut [Line],
    pub condition: Lines<'a>,
    pub a: Lines<'a>,
    pub b: Lines<'a>,
}

impl Work for Select<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let (condition, a, b) = (self.condition.at(line), self.a.at(line), self.b.at(line));
            // Bits are blended: of a choice the compiler makes a branch for each lane.
            let mut result = [0.0; LANES];
            for lane in 0..LANES {
                let taken = u64::from(condition[lane] != 0.0).wrapping_neg();
                result[lane] = f64::from_bits(a[lane].to_bits() & taken | b[lane].to_bits() & !taken);
            }
            *to = result;
        }
    }
}

/// A predicate, as 1 or 0.
pub(crate) struct Test<'a> {
    pub predicate: Predicate,
    pub to: &'a mut [Line],
    pub a: Lines<'a>,
    pub b: Lines<'a>,
}

impl Work for Test<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        macro_rules! by_predicate {
            ($($variant:ident)*) => {
                match self.predicate {
                    $(Predicate::$variant => {
                        for (line, to) in self.to.iter_mut().enumerate() {
                            let (a, b) = (self.a.at(line), self.b.at(line));
                            let mut result = [0.0; LANES];
                            for lane in 0..LANES {
                                result[lane] = if Predicate::$variant.holds(a[lane], b[lane]) { 1.0 } else { 0.0 };
                            }
                            *to = result;
                        }
                    })*
                }
            };
        }
        by_predicate! { Less LessEqual Equal IsReal IsInfinite IsPhi And Or Not }
    }
}
