//! What a task function takes and gives.

use syn::spanned::Spanned;
use syn::{
    Error, FnArg, GenericArgument, Ident, ItemFn, Pat, PathArguments, Result, ReturnType, Signature, Type,
};

/// A function that can be a task.
pub(crate) struct Function {
    pub(crate) item: ItemFn,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
}

/// What one parameter of the function is filled with.
pub(crate) enum Parameter {
    /// An argument of the message.
    Argument { name: Ident, kind: Type },
    /// The context; `by_reference` if the function asks for `&TaskContext`.
    Context { by_reference: bool },
    /// A state that the worker was given; `T` of `State<T>`.
    State(Type),
}

/// What the function returns.
pub(crate) enum Output {
    Value(Type),
    /// A `Result`, of which this is the success.
    Result(Type),
}

impl Function {
    pub(crate) fn new(item: ItemFn) -> Result<Self> {
        check_signature(&item.sig)?;
        let parameters = item.sig.inputs.iter().map(parameter).collect::<Result<_>>()?;
        let output = output(&item.sig.output)?;
        Ok(Self { item, parameters, output })
    }

    pub(crate) fn arguments(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Argument { name, kind } => Some((name, kind)),
            Parameter::Context { .. } | Parameter::State(_) => None,
        })
    }
}

fn check_signature(signature: &Signature) -> Result<()> {
    let refuse = |span, message: &str| Err(Error::new(span, message));
    if let Some(receiver) = signature.receiver() {
        let message = "a task is a free function: take what it needs as arguments or as `State<T>`";
        return refuse(receiver.span(), message);
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let message = "a task cannot be generic: a message names one function with fixed argument types";
        return refuse(signature.generics.span(), message);
    }
    if let Some(token) = &signature.constness {
        return refuse(token.span(), "a task cannot be a `const fn`");
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        return refuse(token.span(), "a task cannot be an `unsafe fn`: messages come from anywhere");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "a task cannot be an `extern` function");
    }
    match &signature.variadic {
        Some(variadic) => refuse(variadic.span(), "a task cannot take a variable number of arguments"),
        None => Ok(()),
    }
}

fn parameter(input: &FnArg) -> Result<Parameter> {
    let FnArg::Typed(typed) = input else { return Err(Error::new(input.span(), "a task has no `self`")) };
    let kind = &*typed.ty;
    if is_named(kind, "TaskContext") {
        return Ok(Parameter::Context { by_reference: false });
    }
    if let Type::Reference(reference) = kind {
        if reference.mutability.is_none() && is_named(&reference.elem, "TaskContext") {
            return Ok(Parameter::Context { by_reference: true });
        }
        return Err(Error::new(kind.span(), owned_advice(&reference.elem)));
    }
    if let Type::ImplTrait(_) = kind {
        return Err(Error::new(kind.span(), "a task argument needs a concrete type, to be read from JSON"));
    }
    if is_named(kind, "State") {
        return state(kind);
    }
    Ok(Parameter::Argument { name: argument_name(&typed.pat)?, kind: kind.clone() })
}

fn owned_advice(borrowed: &Type) -> String {
    let owned = if is_named(borrowed, "str") { "`String`" } else { "an owned type" };
    format!("task arguments travel as JSON and cannot be borrowed: take {owned}")
}

fn state(kind: &Type) -> Result<Parameter> {
    let message = "write the type of the state: `State<T>`";
    only_generic(kind)
        .map(|inner| Parameter::State(inner.clone()))
        .ok_or_else(|| Error::new(kind.span(), message))
}

fn argument_name(pattern: &Pat) -> Result<Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Ok(name.ident.clone()),
        other => {
            let message = "a task argument needs a plain name, by which callers can pass it";
            Err(Error::new(other.span(), message))
        }
    }
}

/// Whether a function returns a `Result` is read from the name of the type: a macro sees no further.
fn output(output: &ReturnType) -> Result<Output> {
    let ReturnType::Type(_, kind) = output else { return Ok(Output::Value(syn::parse_quote!(()))) };
    match &**kind {
        Type::ImplTrait(_) => Err(Error::new(kind.span(), "a task needs a concrete return type")),
        Type::Reference(_) => {
            Err(Error::new(kind.span(), "a task cannot return a reference: return an owned type"))
        }
        kind if is_named(kind, "Result") => match first_generic(kind) {
            Some(success) => Ok(Output::Result(success.clone())),
            None => {
                Err(Error::new(kind.span(), "write the type of the success: `Result<T, E>` or `Result<T>`"))
            }
        },
        kind => Ok(Output::Value(kind.clone())),
    }
}

/// Whether the last segment of a type's path is `name`.
fn is_named(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

fn generics(kind: &Type) -> Vec<&Type> {
    let Type::Path(path) = kind else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(list)) = path.path.segments.last().map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    types.collect()
}

fn first_generic(kind: &Type) -> Option<&Type> {
    generics(kind).into_iter().next()
}

fn only_generic(kind: &Type) -> Option<&Type> {
    match generics(kind)[..] {
        [only] => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(source: &str) -> String {
        match Function::new(syn::parse_str(source).unwrap()) {
            Ok(_) => panic!("accepted: {source}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn parameters_are_told_apart_by_their_types() {
        let source =
            "async fn f(a: i64, ctx: &cardoon::TaskContext, State(pool): State<Pool>, mut b: Vec<u8>) {}";
        let function = Function::new(syn::parse_str(source).unwrap()).unwrap();
        let names: Vec<_> = function.arguments().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(matches!(function.parameters[1], Parameter::Context { by_reference: true }));
        assert!(matches!(function.parameters[2], Parameter::State(_)));
    }

    #[test]
    fn what_cannot_travel_is_refused_with_advice() {
        assert!(refusal("fn f(to: &str) {}").ends_with("take `String`"));
        assert!(refusal("fn f(rows: &[u8]) {}").ends_with("take an owned type"));
        assert!(refusal("fn f(ctx: &mut TaskContext) {}").contains("cannot be borrowed"));
        assert!(refusal("fn f((a, b): (i64, i64)) {}").contains("needs a plain name"));
        assert!(refusal("fn f(x: impl Into<String>) {}").contains("concrete type"));
        assert!(refusal("fn f<T>(x: T) {}").contains("cannot be generic"));
        assert!(refusal("fn f(&self) {}").contains("free function"));
        assert!(refusal("fn f(pool: State) {}").contains("State<T>"));
        assert!(refusal("fn f() -> impl Sized {}").contains("concrete return type"));
        assert!(refusal("fn f() -> fmt::Result {}").contains("Result<T, E>"));
        assert!(refusal("unsafe fn f() {}").contains("unsafe fn"));
        assert!(refusal("const fn f() {}").contains("const fn"));
    }
}
