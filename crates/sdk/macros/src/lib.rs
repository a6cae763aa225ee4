//! The attribute `#[cardoon::task]`. Use it through the crate `cardoon`, which documents it.

mod duration;
mod expand;
mod function;
mod options;

/// Makes a function a task; see `cardoon::task`.
#[proc_macro_attribute]
pub fn task(options: proc_macro::TokenStream, function: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::task(options.into(), function.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
