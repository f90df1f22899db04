use zeroproof::*;
fn main() {
    let tape = Tape::new();
    let x = tape.parameter(0.7);
    let c = tape.constant(0.9);
    let mut y = x.clone();
    for _ in 0..1000 {
        y = &(&y * &c) + &x;
    }
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut st = Statistics::default();
    let m = ModeState::default();
    let t = std::time::Instant::now();
    for _ in 0..n {
        y.backward_with(1.0, &m, &mut st).unwrap();
    }
    println!("{:.2} ns/op", t.elapsed().as_nanos() as f64 / (n * 2000) as f64);
}
