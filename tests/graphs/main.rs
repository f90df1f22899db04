//! Operations, graphs and their derivatives: every file of this folder, in one program, which is linked once.

mod assignment;
mod choices;
mod explain;
mod explain_reference;
mod gradients;
mod hybrid;
mod joining;
mod op_facts;
mod op_surface;
mod ops_by_mode;
mod queries;
mod recorded_gradients;
mod reference;
mod second_order;
mod second_order_differences;
mod second_order_graphs;
mod variables;
