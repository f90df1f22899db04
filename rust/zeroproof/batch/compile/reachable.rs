//! The reachable set of a node: the part of a program that one pass has to do with.

use super::analysis::differentiable;
use crate::batch::program::{NodeId, Program};

/// Finds reachable sets; kept between searches for its memory, so that a search costs no more than what it finds.
#[derive(Debug, Default)]
pub(crate) struct ReachableSets {
    /// By node: the last search that came by.
    seen: Vec<u32>,
    search: u32,
    found: Vec<NodeId>,
    todo: Vec<NodeId>,
}

impl ReachableSets {
    /// The nodes from `root` on down that `flows` lets pass, in descending order.
    pub fn below(&mut self, program: &Program, root: NodeId, flows: impl Fn(NodeId) -> bool) -> &[NodeId] {
        if self.seen.len() < program.len() || self.search == u32::MAX {
            self.seen = vec![0; program.len()];
            self.search = 0;
        }
        self.search += 1;
        self.found.clear();
        self.todo.extend(Some(root).filter(|&root| flows(root)));
        while let Some(node) = self.todo.pop() {
            if std::mem::replace(&mut self.seen[node as usize], self.search) != self.search {
                self.found.push(node);
                let operands = differentiable(program.kind(node), program.operands(node));
                self.todo.extend(operands.iter().filter(|&&operand| flows(operand)));
            }
        }
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        &self.found
    }
}
