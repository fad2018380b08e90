use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong<const N: usize>;

#[global_allocator]
static GLOBAL: Wrong<1> = Wrong;

fn main() {
    Wrong::<1>::purge();
    println!("{:?}", Wrong::<2>::stats());
    println!("{}", Wrong::<3>::CONFIG);
}
