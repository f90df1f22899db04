//! In which samples a pass visits a node.
//!
//! Without selections every node that a gradient flows through is visited in every sample. A selection
//! is no node on the scalar path: there the operand that was taken stands in its place. So what it did
//! not take may not be visited at all, nor may what then leads to no source.

use super::code::{Instruction, Source};
use super::lowering::Lowering;
use super::mask::Mask;
use crate::batch::program::{Kind, NodeId, Predicate};
use std::rc::Rc;

impl Lowering<'_> {
    fn test(&mut self, predicate: Predicate, a: Source, b: Source) -> Mask {
        let to = self.register();
        self.code.instructions.push(Instruction::Test { predicate, to, a, b });
        Mask::When(Source::Slot(to))
    }

    pub fn both(&mut self, a: Mask, b: Mask) -> Mask {
        match (a, b) {
            (Mask::Never, _) | (_, Mask::Never) => Mask::Never,
            (Mask::Always, mask) | (mask, Mask::Always) => mask,
            (Mask::When(a), Mask::When(b)) if a == b => Mask::When(a),
            (Mask::When(a), Mask::When(b)) => self.test(Predicate::And, a, b),
        }
    }

    pub fn either(&mut self, a: Mask, b: Mask) -> Mask {
        match (a, b) {
            (Mask::Always, _) | (_, Mask::Always) => Mask::Always,
            (Mask::Never, mask) | (mask, Mask::Never) => mask,
            (Mask::When(a), Mask::When(b)) if a == b => Mask::When(a),
            (Mask::When(a), Mask::When(b)) => self.test(Predicate::Or, a, b),
        }
    }

    fn not(&mut self, condition: Source) -> Mask {
        self.test(Predicate::Not, condition, condition)
    }

    /// The operands that a node hands gradients to, each with the samples in which it does.
    pub fn ways(&mut self, node: NodeId) -> Vec<(NodeId, Mask)> {
        let operands = self.program.operands(node).to_vec();
        match self.program.kind(node) {
            Kind::Condition(_) => vec![],
            Kind::Select => {
                let condition = self.source(operands[0]);
                let otherwise = self.negation(condition);
                vec![(operands[1], Mask::When(condition)), (operands[2], otherwise)]
            }
            _ => operands.into_iter().map(|operand| (operand, Mask::Always)).collect(),
        }
    }

    /// Where a condition does not hold; the same one for every selection that asks.
    fn negation(&mut self, condition: Source) -> Mask {
        if let Some(&found) = self.negations.get(&condition) {
            return found;
        }
        let found = self.not(condition);
        self.negations.insert(condition, found);
        found
    }

    /// For each node, the samples in which it leads to a source. The same for every pass.
    pub fn leading(&mut self) -> Rc<[Mask]> {
        if let Some(leading) = &self.leading {
            return Rc::clone(leading);
        }
        let leading: Rc<[Mask]> = self.find_leading().into();
        self.leading = Some(Rc::clone(&leading));
        leading
    }

    fn find_leading(&mut self) -> Vec<Mask> {
        let mut leading = vec![Mask::Never; self.program.len()];
        for node in 0..self.program.len() as NodeId {
            if !self.facts.active[node as usize] || !self.facts.needed[node as usize] {
                continue;
            }
            let operands = self.program.operands(node);
            leading[node as usize] = match self.program.kind(node) {
                Kind::Argument(_) => Mask::Always,
                Kind::Select if leading[operands[1] as usize] == leading[operands[2] as usize] => {
                    leading[operands[1] as usize] // whichever way
                }
                _ => self.ways(node).into_iter().fold(Mask::Never, |all, (operand, way)| {
                    let through = self.both(leading[operand as usize], way);
                    self.either(all, through)
                }),
            };
        }
        leading
    }

    /// Puts in `visited` the samples in which a pass from these roots visits each node of `reached`.
    pub fn visit(&mut self, roots: &[NodeId], reached: &[NodeId], visited: &mut [Mask]) {
        let leading = self.leading();
        for &root in roots {
            visited[root as usize] = leading[root as usize];
        }
        for &node in reached {
            let here = visited[node as usize];
            if here == Mask::Never {
                continue;
            }
            for (operand, way) in self.ways(node) {
                let operand = operand as usize;
                let through = self.both(here, way);
                let through = self.both(through, leading[operand]);
                visited[operand] = self.either(visited[operand], through);
            }
        }
    }
}
