package streams_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
)

var suppressFlows = []flow{
	{"final results of windows", func(b *streams.Builder) {
		windows(streams.Suppress(streams.CountWindows(grouped(b), streams.Tumbling(2*ms).Grace(1*ms)), streams.UntilWindowCloses(streams.Unbounded()))).To("out")
	}, "a=x@0 a=x@1 a=x@2 a=x@1 a=x@0 a=x@5 a=x@0", "· · · · · a[0,2)=4@1,a[2,4)=1@2 ·"},
	{"final results of sessions, without those that became part of others", func(b *streams.Builder) {
		windows(streams.Suppress(streams.CountSessions(grouped(b), streams.Sessions(5*ms)), streams.UntilWindowCloses(streams.Unbounded()))).To("out")
	}, "a=x@0 a=x@4 b=x@5 a=x@9 c=x@30 d=x@40", "· · · · b[5,5)=1@5,a[0,9)=3@9 c[30,30)=1@30"},
	{"a time limit, from the first change of a key", func(b *streams.Builder) {
		streams.Suppress(streams.TableFrom(b, "in", str, str), streams.UntilTimeLimit(5*ms, streams.Unbounded())).ToStream().To("out")
	}, "a=1@10 a=2@12 b=3@12 a=4@14 c=5@15 b=-@17 c=6@20", "· · · · a=4@14 b=-@17 c=6@20"},
	{"a full buffer emits the oldest early", func(b *streams.Builder) {
		streams.Suppress(streams.TableFrom(b, "in", str, str), streams.UntilTimeLimit(time.Hour, streams.MaxRecords(2))).ToStream().To("out")
	}, "a=1@10 b=2@9 a=3@11 c=4@12 d=5@8", "· · · b=2@9 d=5@8"},
	{"what is suppressed is looked up as it was before", func(b *streams.Builder) {
		t := streams.Suppress(streams.TableFrom(b, "R", str, str), streams.UntilTimeLimit(5*ms, streams.Unbounded()))
		streams.LeftJoinTable(text(b, "L"), t, leftOnly, str).To("out")
	}, "R:a=1@10 L:a=x@11 R:b=9@20 L:a=y@21 R:a=2@22 L:a=z@23", "· a=x-@11 · a=y1@21 · a=z1@23"},
	{"a suppressed table without changes waiting", func(b *streams.Builder) {
		windows(streams.Suppress(streams.CountWindows(grouped(b), streams.Tumbling(5*ms)), streams.UntilTimeLimit(0, streams.Unbounded()))).To("out")
	}, "a=x@1 a=x@2", "a[0,5)=1@1 a[0,5)=2@2"},
	{"what is suppressed survives a restart and an aborted transaction", func(b *streams.Builder) {
		windows(streams.Suppress(streams.CountWindows(grouped(b), streams.Tumbling(5*ms)), streams.UntilWindowCloses(streams.Unbounded()))).To("out")
	}, "a=x@1 restart a=x@2 abort b=x@3 restart a=x@6 a=x@4 restart a=x@4", "· · · · · · a[0,5)=2@2,b[0,5)=1@3 · · ·"},
}

func TestSuppress(t *testing.T) { runFlows(t, suppressFlows) }
