use hatchery_engine::{Config, Engine, GasModel};
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let bytes = std::fs::read(std::env::args().nth(2).unwrap()).unwrap();
    let model = if std::env::args().nth(3).is_some() { GasModel::Flat } else { GasModel::PIPELINE_L2 };
    let module = Engine::new(Config::default().gas_model(model)).unwrap().compile(&bytes).unwrap();
    let c = module.instructions().count();
    let mut sum = 0u64;
    for _ in 0..n {
        sum += module.blocks().map(|b| u64::from(b.cost)).sum::<u64>();
    }
    println!("{c} {sum}");
}
