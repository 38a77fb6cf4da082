package streams_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

// The foreign key of a value is what is behind its |.
func foreignKey(v string) (string, bool) {
	_, key, ok := strings.Cut(v, "|")
	return key, ok
}

func foreign(left bool, opts ...streams.Option) func(b *streams.Builder) {
	return func(b *streams.Builder) {
		l, r := table(b, "L"), table(b, "R")
		var t *streams.Table[string, string]
		if left {
			t = streams.LeftJoinForeign(l, r, foreignKey, func(l string, r *string) string { return l + "+" + orDash(r) }, str, opts...)
		} else {
			t = streams.JoinForeign(l, r, foreignKey, func(l, r string) string { return l + "+" + r }, str, opts...)
		}
		t.ToStream().To("out")
	}
}

var foreignFlows = []flow{
	{"inner, from the left", foreign(false),
		"L:a=1|x@5 L:b=2|y@6 R:x=X@3 R:y=Y@9 R:z=Z@1 L:a=3|y@7 L:a=4|q@8 L:a=5|z@9 L:b=-@10 L:b=-@11",
		"· · a=1|x+X@3 b=2|y+Y@9 · a=3|y+Y@9 a=-@8 a=5|z+Z@9 b=-@10 ·"},
	{"left, from the left", foreign(true),
		"L:a=1|x@5 R:x=X@7 L:a=3|y@8 R:x=X@9 R:y=Y@10 L:a=none@11 L:a=-@12 L:b=none@13 L:b=-@14",
		"a=1|x+-@5 a=1|x+X@7 a=3|y+-@8 · a=3|y+Y@10 a=none+-@11 a=-@12 b=none+-@13 b=-@14"},
	{"inner, from the right", foreign(false),
		"R:x=X@1 L:a=1|x@2 L:b=2|x@3 R:x=Y@4 R:x=-@5 R:x=-@6 R:x=Z@7 L:a=-@8 R:x=W@9",
		"· a=1|x+X@2 b=2|x+X@3 a=1|x+Y@4,b=2|x+Y@4 a=-@5,b=-@5 a=-@6,b=-@6 a=1|x+Z@7,b=2|x+Z@7 a=-@8 b=2|x+W@9"},
	{"left, from the right", foreign(true),
		"R:x=X@1 L:a=1|x@2 R:x=-@4 R:x=Y@5 L:a=-@6",
		"· a=1|x+X@2 a=1|x+-@4 a=1|x+Y@5 a=-@6"},
	{"inner: a value without a foreign key has no result", foreign(false),
		"R:x=X@1 L:a=none@2 L:a=1|x@3 L:a=none@4 L:a=2|x@5 L:a=none@6 L:a=-@7",
		"· · a=1|x+X@3 a=-@4 a=2|x+X@5 a=-@6 ·"},
	{"the same value again is sent again", foreign(false),
		"R:x=X@1 L:a=1|x@2 L:a=1|x@3 R:x=X@4", "· a=1|x+X@2 a=1|x+X@3 a=1|x+X@4"},
	{"no null keys", foreign(true), "L:-=1|x@1 R:-=X@2", "· ·"},
	{"a stored result tells only of changes of what was there, and survives", foreign(false, streams.Materialized("joined"), streams.Named("n")),
		"L:a=1|x@5 restart R:x=X@6 abort L:a=2|x@7 restart R:x=-@8", "· · a=1|x+X@6 · a=2|x+X@7 · a=-@8"},
	{"the foreign key can be made of the key too", func(b *streams.Builder) {
		l, r := table(b, "L"), table(b, "R")
		by := func(k, v string) (string, bool) { return k + v, v != "" }
		streams.JoinForeignWithKey(l, r, by, both, str).ToStream().To("out")
		streams.LeftJoinForeignWithKey(l, r, by, leftOnly, str).ToStream().To("left")
	}, "R:ax=1@1 L:a=x@2 L:b=x@3", "· a=x1@2 ·"},
	{"a table joined with itself", func(b *streams.Builder) {
		t := table(b, "in")
		streams.JoinForeign(t, t, foreignKey, func(l, r string) string { return l + "+" + r }, str).ToStream().To("out")
	}, "a=1|b@1 b=2|a@2 a=3|a@3", "· a=1|b+2|a@2,b=2|a+1|b@2 b=2|a+3|a@3,a=3|a+3|a@3"},
}

func TestForeignKeyJoins(t *testing.T) { runFlows(t, foreignFlows) }

var cogroupFlows = []flow{
	{"streams of other types are aggregated into one value", func(b *streams.Builder) {
		c := streams.Cogroup(text(b, "L").GroupByKey(), func(_, v, a string) string { return a + v })
		c = streams.AndCogroup(c, streams.MapValues(text(b, "R"), func(v string) int64 { return int64(len(v)) }, serde.Int64()).GroupByKey(),
			func(_ string, n int64, a string) string { return a + strings.Repeat("*", int(n)) })
		c.Aggregate(bang, str).ToStream().To("out")
	}, "L:a=x@1 R:a=12@2 L:b=y@3 R:a=-@4 L:-=z@5", "a=!x@1 a=!x**@2 b=!y@3 · ·"},
	{"within windows, behind repartition topics", func(b *streams.Builder) {
		c := streams.Cogroup(text(b, "L").GroupByKey(), appended)
		c = streams.AndCogroup(c, streams.GroupBy(text(b, "R"), func(_, v string) string { return v }, str), appended)
		windows(streams.AggregateCogroupWindows(c, streams.Tumbling(5*ms), bang, str, streams.Named("n"), streams.Materialized("s"))).To("out")
	}, "L:a=x@1 R:b=a@2 R:b=a@7", "a[0,5)=!ax@1 a[0,5)=!axaa@2 a[5,10)=!aa@7"},
	{"within sessions", func(b *streams.Builder) {
		c := streams.AndCogroup(streams.Cogroup(text(b, "L").GroupByKey(), appended), text(b, "R").GroupByKey(), appended)
		windows(streams.AggregateCogroupSessions(c, streams.Sessions(5*ms), bang, func(_, a, b string) string { return a + b }, str)).To("out")
	}, "L:a=x@1 R:a=y@4", "a[1,1)=!ax@1 a[1,1)=-@1,a[1,4)=!!axay@4"},
	{"within sliding windows, as a table that is grouped again", func(b *streams.Builder) {
		c := streams.AndCogroup(streams.Cogroup(text(b, "L").GroupByKey(), appended), text(b, "R").GroupByKey(), appended)
		windows(streams.AggregateCogroupWindows(c, streams.Sliding(5*ms), bang, str)).To("out")
	}, "L:a=x@10 R:a=y@12", "a[5,10)=!ax@10 a[11,16)=!ay@12,a[7,12)=!axay@12"},
}

func TestCogroup(t *testing.T) { runFlows(t, cogroupFlows) }
