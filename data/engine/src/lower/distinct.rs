//! `is [not] distinct from` binds as a comparison does. The parser would take all that follows for its right side, so that
//! `a is distinct from b and c` were true where `a` differs from what `b and c` says.
//!
//! For the parser the words are one operator, which it knows how to bind; in what it makes they are words again.

use std::mem;
use std::ops::ControlFlow;

use datafusion::error::Result;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value, visit_expressions_mut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The words, and the operator that they are for the parser.
const DISTINCT: (&str, &[Keyword]) = ("IS DISTINCT FROM", &[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]);
const NOT_DISTINCT: (&str, &[Keyword]) =
    ("IS NOT DISTINCT FROM", &[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]);

/// The statements of `query`, as the engine's parser reads them but for these words. `levels`: how deep they may be nested.
pub(super) fn parse(query: &str, levels: usize) -> Result<Vec<Statement>> {
    let tokens =
        Tokenizer::new(&GenericDialect, query).tokenize_with_location().map_err(ParserError::from)?;
    let parser = DFParserBuilder::new(operators(&tokens)).with_dialect(&GenericDialect);
    let mut statements = parser.with_recursion_limit(levels).build()?.parse_statements()?;
    statements.iter_mut().for_each(restore);
    Ok(statements.into())
}

/// `tokens` with an operator for each of the words. Spaces and comments may stand between them.
fn operators(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut rest = tokens;
    let mut made = Vec::with_capacity(tokens.len());
    while let Some((first, after)) = rest.split_first() {
        let found = [DISTINCT, NOT_DISTINCT].into_iter().find_map(|(operator, words)| {
            Some((Token::CustomBinaryOperator(operator.to_owned()), length(rest, words)?))
        });
        let (token, after) = match found {
            Some((token, length)) => (token, &rest[length..]),
            None => (first.token.clone(), after),
        };
        made.push(TokenWithSpan { token, span: first.span });
        rest = after;
    }
    made
}

/// How many tokens the words take up with which `tokens` begin.
fn length(tokens: &[TokenWithSpan], words: &[Keyword]) -> Option<usize> {
    let mut words = words.iter();
    let mut next = words.next();
    for (place, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Word(word) if Some(&word.keyword) == next => next = words.next(),
            Token::Whitespace(_) if place > 0 => {}
            _ => return None,
        }
        if next.is_none() {
            return Some(place + 1);
        }
    }
    None
}

fn restore(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _: ControlFlow<()> = visit_expressions_mut(statement, |expr| {
                words_again(expr);
                ControlFlow::Continue(())
            });
        }
        Statement::Explain(explained) => restore(&mut explained.statement),
        _ => {}
    }
}

fn words_again(expr: &mut Expr) {
    let Expr::BinaryOp { left, op: BinaryOperator::Custom(operator), right } = expr else { return };
    let make = match operator.as_str() {
        operator if operator == DISTINCT.0 => Expr::IsDistinctFrom,
        operator if operator == NOT_DISTINCT.0 => Expr::IsNotDistinctFrom,
        _ => return,
    };
    let nothing = || Box::new(Expr::value(Value::Null));
    *expr = make(mem::replace(left, nothing()), mem::replace(right, nothing()));
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::visit_expressions;

    use super::*;

    fn read(condition: &str) -> String {
        let statements = parse(&format!("select {condition}"), 50).unwrap();
        statements[0].to_string().replacen("SELECT ", "", 1)
    }

    /// How a condition is read, with brackets around what is read first.
    fn top(condition: &str) -> String {
        let statements = parse(&format!("select {condition}"), 50).unwrap();
        let Statement::Statement(statement) = &statements[0] else { panic!("{statements:?}") };
        let mut last = None;
        let _: ControlFlow<()> = visit_expressions(statement, |expr| {
            last = last.take().or_else(|| Some(expr.clone()));
            ControlFlow::Continue(())
        });
        match last.unwrap() {
            Expr::BinaryOp { left, op, right } => format!("({left}) {op} ({right})"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_words_bind_before_not_and_and_or() {
        for (condition, read) in [
            ("a is distinct from b and c", "(a IS DISTINCT FROM b) AND (c)"),
            ("a is distinct\n/* ! */ from b or c", "(a IS DISTINCT FROM b) OR (c)"),
            ("x and a is not distinct from b or c", "(x AND a IS NOT DISTINCT FROM b) OR (c)"),
            ("not a is distinct from b and c", "(NOT a IS DISTINCT FROM b) AND (c)"),
        ] {
            assert_eq!(top(condition), read);
        }
    }

    #[test]
    fn other_words_stay_what_they_are() {
        for query in ["'is distinct from'", "\"is\"", "a IS NOT NULL", "a IS TRUE", "DISTINCT a FROM t"] {
            assert_eq!(read(query), query);
        }
    }
}
