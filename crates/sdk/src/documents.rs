//! The programs in the documents, compiled with the doc examples.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../README.zh-CN.md")]
struct ReadmeInChinese;

#[doc = include_str!("../../../docs/quickstart.md")]
struct Quickstart;

#[doc = include_str!("../../../docs/zh/quickstart.md")]
struct QuickstartInChinese;
