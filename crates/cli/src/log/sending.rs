use cardoon_core::Signature;

/// The sending of a task by a command: a span until it is dropped, if spans are exported.
pub(crate) struct Sending {
    #[cfg(feature = "otlp")]
    _span: tracing::Span,
}

/// Begins to send `signature`, which goes on in the trace.
#[cfg_attr(
    not(feature = "otlp"),
    expect(clippy::needless_pass_by_ref_mut, reason = "with traces it is changed")
)]
pub(crate) fn sending(signature: &mut Signature) -> Sending {
    #[cfg(not(feature = "otlp"))]
    let _ = signature;
    Sending {
        #[cfg(feature = "otlp")]
        _span: cardoon::trace::sending(signature),
    }
}
