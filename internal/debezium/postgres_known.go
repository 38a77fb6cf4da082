package debezium

import "regexp"

// PostgresKnown is where our source differs from Debezium 3.6.1 today.
var PostgresKnown = []Known{
	{Topic: "public.by_index", Why: "Debezium takes a changed column of a replica identity's index for a changed key, and sends 0 for the columns that the log does not hold"},
	{Topic: "transaction", Paths: regexp.MustCompile(`event_count$`), Why: "the records of by_index are counted"},
	{Topic: "public.texts", Paths: regexp.MustCompile(`(before|after)\.nam$`), Why: "Debezium sends null for the type name"},
	{Topic: "public.large", Paths: regexp.MustCompile(`(before|after)\.bin$`), Why: "Debezium sends null for unchanged bytes where it sends them in base64"},
	{Mode: "doubles", Topic: "public.ranges", Paths: regexp.MustCompile(`(before|after)\.(ln|seg|bx|pth|pol|cir)$`), Why: "Debezium sends the text of its driver, which writes 1 as 1.0"},
	{Topic: "public.whole", Paths: regexp.MustCompile(`parameters\.allowed$`), Why: "Debezium does not notice a new label of an enum"},
	{Mode: "some", Topic: "public.numbers", Paths: regexp.MustCompile(`source\.column\.(length|type)$`), Why: "serial columns, and those of domains"},
	{Mode: "messages", Topic: "public.done", Why: "a text of all, in which the times are not blanked"},
	{Mode: "messages", Topic: "message", Why: "the same"},
	{Mode: "some", Topic: "public.changing", Paths: regexp.MustCompile(`source\.column\.length$`), Why: "the length of an array"},
}
