//! Parts of a run: the outputs of a task, and a block of it.

/// The outputs of one task.
#[derive(Debug, Default)]
pub(crate) struct TaskOutputs<'a> {
    /// How many samples the task has.
    pub samples: usize,
    pub values: Vec<&'a mut [f64]>,
    pub gradients: Vec<&'a mut [f64]>,
    pub statuses: Vec<&'a mut [u8]>,
}

/// A block of a task.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    /// The number of its first sample among all.
    pub first: usize,
    /// How many samples it has; less than the length of blocks in the last one.
    pub samples: usize,
    /// The place of its first sample in the task's outputs.
    pub place: usize,
}
