//! The code that the attribute adds beside the function.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, ItemFn, Result};

use crate::function::{Function, Output, Parameter};
use crate::options::Options;

pub(crate) fn task(options: TokenStream, function: TokenStream) -> Result<TokenStream> {
    let item = syn::parse2::<ItemFn>(function.clone())
        .map_err(|_| Error::new_spanned(function, "`#[cardoon::task]` stands before a function"))?;
    let options: Options = syn::parse2(options)?;
    Ok(Expansion { function: Function::new(item)?, options }.write())
}

struct Expansion {
    function: Function,
    options: Options,
}

impl Expansion {
    fn write(&self) -> TokenStream {
        let item = &self.function.item;
        let marker = self.marker();
        let signature = self.signature();
        let implementation = self.implementation();
        quote! {
            #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
            #item
            #marker
            #signature
            #implementation
        }
    }

    /// The type that stands for the task: it shares the function's name, in the namespace of types.
    fn marker(&self) -> TokenStream {
        let ItemFn { vis, sig, attrs, .. } = &self.function.item;
        let name = &sig.ident;
        let attributes = attrs.iter().filter(|attribute| concerns_type(attribute));
        let description = format!("The task [`{name}`](fn@{name}), as a type.");
        quote! {
            #(#attributes)*
            #[doc = #description]
            #[allow(non_camel_case_types, dead_code)]
            #vis struct #name {}
        }
    }

    fn signature(&self) -> TokenStream {
        let ItemFn { vis, sig, attrs, .. } = &self.function.item;
        let (name, output) = (&sig.ident, self.output());
        let conditions = attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        let parameters = self.function.arguments().map(|(name, kind)| quote!(#name: #kind));
        let writer = local("writer");
        let arguments = self.function.arguments().map(|(name, kind)| {
            quote_spanned!(kind.span()=> let #writer = ::cardoon::__private::SignatureWriter::arg(#writer, &#name);)
        });
        quote! {
            #(#conditions)*
            impl #name {
                /// A call of this task with these arguments, which is not sent yet.
                #[allow(dead_code, clippy::too_many_arguments, clippy::needless_pass_by_value)]
                #vis fn signature(#(#parameters),*) -> ::cardoon::TypedSignature<#output> {
                    let #writer = ::cardoon::__private::SignatureWriter::new();
                    #(#arguments)*
                    #writer.finish::<Self>()
                }
            }
        }
    }

    fn implementation(&self) -> TokenStream {
        let function = &self.function;
        let name = &function.item.sig.ident;
        let conditions = function.item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        let task_name = match &self.options.name {
            Some(given) => given.value(),
            None => name.unraw().to_string(),
        };
        let parameters = function.arguments().map(|(name, _)| name.unraw().to_string());
        let (output, options, states) = (self.output(), self.task_options(), self.states());
        let handler = self.handler();
        quote! {
            #(#conditions)*
            impl ::cardoon::Task for #name {
                type Output = #output;
                const NAME: &'static str = #task_name;
                const PARAMETERS: &'static [&'static str] = &[#(#parameters),*];

                #[allow(clippy::needless_update)]
                fn options_over(defaults: ::cardoon::TaskOptions) -> ::cardoon::TaskOptions {
                    #options
                }

                fn definition() -> ::cardoon::TaskDefinition {
                    ::cardoon::__private::definition::<Self>(#handler, ::std::vec![#(#states),*])
                }

                fn known() -> &'static ::cardoon::__private::KnownTask {
                    static KNOWN: ::cardoon::__private::KnownTask =
                        ::cardoon::__private::KnownTask::of::<#name>();
                    &KNOWN
                }
            }
        }
    }

    fn output(&self) -> &syn::Type {
        match &self.function.output {
            Output::Value(kind) | Output::Result(kind) => kind,
        }
    }

    fn states(&self) -> impl Iterator<Item = TokenStream> {
        self.function.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::State(kind) => {
                Some(quote_spanned!(kind.span()=> ::cardoon::__private::state_need::<#kind>()))
            }
            Parameter::Argument { .. } | Parameter::Context { .. } => None,
        })
    }

    /// Binds the arguments, calls the function and writes what it returned.
    fn handler(&self) -> TokenStream {
        let name = &self.function.item.sig.ident;
        let (bindings, call) = self.bindings();
        let is_async = self.function.item.sig.asyncness.is_some();
        let awaited = is_async.then(|| quote!(.await));
        // What serde or the error's type lacks is said where the type stands, not at the attribute.
        let place = |span: Span| span.resolved_at(Span::call_site());
        let [bound, context, arguments, outcome] = ["bound", "context", "arguments", "outcome"].map(local);
        let written = quote_spanned!(place(self.output().span())=> ::cardoon::__private::written(&#outcome));
        let raised = quote_spanned! {place(self.function.item.sig.output.span())=>
            (&&::cardoon::__private::Raised::new(error)).task_error()
        };
        let finish = match &self.function.output {
            Output::Value(_) => written,
            Output::Result(_) => quote! {{
                #[allow(unused_imports)]
                use ::cardoon::__private::{FromErrorText as _, FromTaskError as _};
                match #outcome {
                    ::std::result::Result::Ok(#outcome) => #written,
                    ::std::result::Result::Err(error) => ::std::result::Result::Err(#raised),
                }
            }},
        };
        let body = quote! {
            #[allow(unused_mut)]
            let mut #bound = ::cardoon::__private::bind(&#arguments, <Self as ::cardoon::Task>::PARAMETERS)?;
            #bindings
            ::std::mem::drop(#bound);
            let #outcome = #name(#call) #awaited;
            #finish
        };
        if is_async {
            quote!(::cardoon::__private::async_handler(|#context, #arguments| async move { #body }))
        } else {
            quote!(::cardoon::__private::blocking_handler(|#context, #arguments| { #body }))
        }
    }

    /// The statements that make the function's arguments, and the list to call it with.
    fn bindings(&self) -> (TokenStream, TokenStream) {
        let (mut statements, mut call) = (TokenStream::new(), TokenStream::new());
        let [bound, context] = ["bound", "context"].map(local);
        let mut index = 0usize;
        for (position, parameter) in self.function.parameters.iter().enumerate() {
            let local = local(&format!("parameter_{position}"));
            match parameter {
                Parameter::Argument { kind, .. } => {
                    statements.extend(quote_spanned! {kind.span()=>
                        let #local: #kind = ::cardoon::__private::take(&mut #bound, #index)?;
                    });
                    call.extend(quote!(#local,));
                    index += 1;
                }
                Parameter::State(kind) => {
                    statements.extend(quote! {
                        let #local = ::cardoon::__private::state::<#kind>(&#context)?;
                    });
                    call.extend(quote!(#local,));
                }
                Parameter::Context { by_reference: true } => call.extend(quote!(&#context,)),
                Parameter::Context { by_reference: false } => {
                    call.extend(quote!(::std::clone::Clone::clone(&#context),));
                }
            }
        }
        (statements, call)
    }

    /// What the attribute says, over `defaults`.
    fn task_options(&self) -> TokenStream {
        let options = &self.options;
        let given = [
            options.queue.as_ref().map(|queue| quote!(queue: Some(::cardoon::__private::queue(#queue)))),
            options.priority.map(|level| quote!(priority: Some(::cardoon::Priority::new(#level)))),
            options.soft_time_limit.map(millis).map(|limit| quote!(soft_time_limit: Some(#limit))),
            options.time_limit.map(millis).map(|limit| quote!(time_limit: Some(#limit))),
            options.expires.map(millis).map(|limit| quote!(expires: Some(#limit))),
            options.ack_early.map(|early| {
                let mode = if early { quote!(Early) } else { quote!(Late) };
                quote!(ack: ::cardoon::AckMode::#mode)
            }),
            options.isolate_process.then(|| quote!(isolate: ::cardoon::Isolation::Process)),
            options.ignore_result.then(|| quote!(ignore_result: true)),
        ];
        let given = given.into_iter().flatten();
        let retry = self.retry_policy();
        quote! {
            #[allow(unused_imports)]
            use ::std::option::Option::Some;
            ::cardoon::TaskOptions { #(#given,)* retry: #retry, ..defaults }
        }
    }

    fn retry_policy(&self) -> TokenStream {
        let options = &self.options;
        let retries = options.retries.map(|retries| quote!(max_retries: #retries,));
        let base = options.retry_delay.map(|delay| {
            let delay = millis(delay);
            quote!(base: #delay,)
        });
        let cap = options.retry_cap.map(|cap| {
            let cap = millis(cap);
            quote!(cap: #cap,)
        });
        let jitter = options.retry_jitter.map(|jitter| quote!(jitter: #jitter,));
        let retry_on = match (&options.retry_on, &options.retry_except) {
            (Some(kinds), _) => {
                Some(quote!(retry_on: ::cardoon::RetryOn::Only(::std::vec![#(#kinds.into()),*]),))
            }
            (None, Some(kinds)) => {
                Some(quote!(retry_on: ::cardoon::RetryOn::Except(::std::vec![#(#kinds.into()),*]),))
            }
            (None, None) => None,
        };
        quote! {
            ::cardoon::RetryPolicy {
                #retries #base #cap #jitter #retry_on
                ..defaults.retry
            }
        }
    }
}

/// A name that only the code of the attribute sees: the task and its arguments may have the same.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Whether an attribute of the function belongs to the type as well. Its documentation does not: the examples in it
/// would run twice.
fn concerns_type(attribute: &Attribute) -> bool {
    ["cfg", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
}

fn millis(millis: u64) -> TokenStream {
    quote!(::std::time::Duration::from_millis(#millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_after_its_function_alone() {
        let text = task(
            TokenStream::new(),
            quote!(
                async fn add(x: i64) -> i64 {
                    x
                }
            ),
        )
        .unwrap()
        .to_string();
        assert!(text.contains("const NAME : & 'static str = \"add\""), "{text}");
    }

    #[test]
    fn only_functions_can_be_tasks() {
        let error = task(
            TokenStream::new(),
            quote!(
                struct Add;
            ),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "`#[cardoon::task]` stands before a function");
    }
}
