package debezium

import "regexp"

// MariaKnown is where our source differs from Debezium 3.5.0's for MariaDB today.
var MariaKnown = []Known{
	{Topic: "db.texts", Paths: regexp.MustCompile(`(before|after)\.u$`), Why: "Debezium shifts the bytes of a UUID that it reads from the log"},
	{Topic: "db.texts", Paths: regexp.MustCompile(`((before|after)\.e|parameters\.allowed)$`), Why: "Debezium writes a comma within a member of an enum with a backslash"},
	{Topic: "db.texts", Paths: regexp.MustCompile(`fields\.\d+\.default$`), Why: "Debezium leaves the quotes of a default doubled"},
	{Topic: "db.times", Paths: regexp.MustCompile(`(before|after)\.d_d$`), Why: "Debezium's time adjuster takes the year 1 for 2001"},
	{Topic: "db.changing", Paths: regexp.MustCompile(`source\.snapshot$`), Why: "where the first tables are empty, ours names the first row of all and Debezium none"},
	{Topic: "db.box_plain", Paths: regexp.MustCompile(`source\.snapshot$`), Why: "the same"},
	{Mode: "schemas", Topic: "definitions", Paths: regexp.MustCompile(`columns\.(1|19)\.defaultValueExpression$`), Why: "quotes of a default stay doubled, and one of ALTER is as it was written"},
	{Mode: "schemas", Topic: "definitions", Paths: regexp.MustCompile(`columns\.2\.length$`), Why: "a number that a statement gives no length has none"},
	{Mode: "schemas", Topic: "definitions", Paths: regexp.MustCompile(`columns\.25\.type(Name|Expression)$`), Why: "ZEROFILL is part of the type"},
	{Mode: late, Topic: "db.snapped", Paths: regexp.MustCompile(`source\.server_id$`), Why: "in blocking snapshots it is that of the last change before"},
	{Mode: "all", Topic: "db.emptied", Why: "a TRUNCATE is no change within a transaction, and has the thread that the log tells"},
	{Mode: "some", Topic: "db.numbers", Paths: regexp.MustCompile(`source\.column\.type$`), Why: "the types YEAR and those with ZEROFILL"},
	{Mode: "some", Topic: "db.texts", Why: "the lengths of enums and sets as source columns, and what differs in all modes"},
	{Mode: "some", Topic: "db.changing", Why: "the length of a number as source column, after its definition was changed"},
}
