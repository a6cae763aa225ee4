use cardoon_csv::{Kind, Options};

use crate::reading::read_text;

#[test]
fn values_are_read_as_pandas_reads_them() {
    let kinds = [
        ("int", Kind::Int64),
        ("float", Kind::Float64),
        ("flag", Kind::Boolean),
        ("day", Kind::Date),
        ("time", Kind::Timestamp),
        ("text", Kind::Text),
        ("none", Kind::Null),
    ];
    let text = "int,float,flag,day,time,text,none\r\n\
        \" 007 \",1e3,True,1970-01-02,1970-01-01 00:00:01,5\" disk,\r\n\
        NA,nan,\"\",null,#N/A,\"NA\",\"\"\r\n\
        -1,-0.5,false,\"1969-12-31\",1970-01-02,\" a \"\"b\"\"\",None";
    let rows = read_text(text, &kinds, Options::default()).unwrap();
    let some = |values: [&str; 6]| values.map(|value| Some(value.to_owned()));
    assert_eq!(rows[0][..6], some(["7", "1000.0", "true", "1", "1000000", "5\" disk"]));
    assert_eq!(rows[1], vec![None; 7]);
    assert_eq!(rows[2][..6], some(["-1", "-0.5", "false", "-1", "86400000000", " a \"b\""]));
}
