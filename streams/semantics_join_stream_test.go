package streams_test

import (
	"testing"

	"github.com/pabal-dev/pabal/streams"
)

var joinFlows = []flow{
	{"bounds are included, and differ before and after", func(b *streams.Builder) {
		streams.JoinStreams(text(b, "L"), text(b, "R"), both, streams.JoinWithin(0).Before(2*ms).After(5*ms).Grace(9*ms), str).To("out")
	}, "L:a=x@10 R:a=7@7 R:a=8@8 R:a=15@15 R:a=16@16 R:b=x@10 R:-=x@10 L:a=-@10 L:a=y@9",
		"· · a=x8@10 a=x15@15 · · · · a=y7@9,a=y8@9"},
	{"late records join as far as the grace goes", func(b *streams.Builder) {
		streams.JoinStreams(text(b, "L"), text(b, "R"), both, streams.JoinWithin(5*ms).Grace(10*ms), str).To("out")
	}, "L:a=x@10 L:a=y@28 R:a=1@12 L:a=z@40 R:a=2@12", "· · a=x1@12 · ·"},
	{"what is unmatched comes when its window has closed, with its time", func(b *streams.Builder) {
		streams.LeftJoinStreams(text(b, "L"), text(b, "R"), leftOnly, streams.JoinWithin(5*ms).Grace(1*ms), str).To("out")
	}, "L:a=x@10 L:b=y@11 R:b=1@12 R:c=2@16 R:c=3@17 L:-=n@18 L:d=z@20 L:e=w@40",
		"· · b=y1@12 · a=x-@10 -=n-@18 · d=z-@20"},
	{"a record whose window is past is unmatched at once", func(b *streams.Builder) {
		streams.OuterJoinStreams(text(b, "L"), text(b, "R"), either, streams.JoinWithin(5*ms), str).To("out")
	}, "L:a=x@10 R:b=y@30 L:a=z@20 R:c=w@24 R:d=v@25", "· a=x-@10 a=z-@20 c=-w@24 ·"},
	{"both sides of an outer join wait, in order of time, the right first", func(b *streams.Builder) {
		streams.OuterJoinStreams(text(b, "L"), text(b, "R"), either, streams.JoinWithin(5*ms), str).To("out")
	}, "L:a=x@10 R:b=y@10 L:a=z@10 R:c=w@9 L:d=v@30", "· · · · c=-w@9,b=-y@10,a=x-@10,a=z-@10"},
	{"a right record's window is that of before", func(b *streams.Builder) {
		streams.OuterJoinStreams(text(b, "L"), text(b, "R"), either, streams.JoinWithin(0).Before(10*ms), str).To("out")
	}, "L:a=x@10 R:b=y@10 L:e=z@11 R:f=w@21", "· · a=x-@10 b=-y@10,e=z-@11"},
	{"streams with new keys are repartitioned", func(b *streams.Builder) {
		l := streams.SelectKey(text(b, "L"), func(_, v string) string { return v }, str)
		streams.JoinStreams(l, text(b, "R"), both, streams.JoinWithin(5*ms), str, streams.Named("n")).To("out")
	}, "R:x=1@10 L:a=x@11 L:-=x@12", "· x=x1@11 x=x1@12"},
	{"a stream joined with itself", func(b *streams.Builder) {
		s := text(b, "in")
		streams.JoinStreams(s, s, both, streams.JoinWithin(5*ms), str).To("out")
	}, "a=x@10 a=y@12", "a=xx@10 a=yx@12,a=xy@12,a=yy@12"},
	{"what waits survives a restart and an aborted transaction", func(b *streams.Builder) {
		streams.LeftJoinStreams(text(b, "L"), text(b, "R"), leftOnly, streams.JoinWithin(5*ms), str).To("out")
	}, "L:a=x@10 restart L:b=y@11 abort R:b=1@12 restart R:c=2@30", "· · · · b=y1@12 · a=x-@10"},
}

func TestStreamJoinRules(t *testing.T) { runFlows(t, joinFlows) }
