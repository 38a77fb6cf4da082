package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type brokerCommand struct {
	Status       brokerStatus       `cmd:"" default:"withargs" help:"Show what it keeps, and how it is."`
	Topics       brokerTopics       `cmd:"" help:"List topics with their size."`
	Segments     brokerSegments     `cmd:"" help:"Show partitions and segments of a topic."`
	Transactions brokerTransactions `cmd:"" help:"List open transactions, the oldest first."`
}

// Help is what --help says about the subcommand.
func (brokerCommand) Help() string {
	return `It is the broker that pabal up runs itself; of other brokers (--kafka) nothing but
Kafka's protocol tells: see pabal topics and pabal groups.`
}

type brokerStatus struct{ asking }

// Run is called by kong.
func (c *brokerStatus) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		b, err := client.BrokerState(ctx)
		if err != nil {
			return err
		}
		return c.show(s, b, func(w io.Writer) { writeBroker(w, b, time.Now()) })
	})
}

func writeBroker(w io.Writer, b api.BrokerState, now time.Time) {
	state := "running"
	if b.Failed != "" {
		state = "FAILED: nothing more is acknowledged: " + b.Failed
	}
	transactions := text.Number(b.Transactions)
	if b.Transactions > 0 {
		transactions += ", the oldest for " + age(now, b.OldestTransaction)
	}
	if b.LongTransactions > 0 {
		transactions += fmt.Sprintf("; %d for long", b.LongTransactions)
	}
	failed := ""
	if b.FailedPartitions > 0 {
		failed = fmt.Sprintf("%d take no records any more", b.FailedPartitions)
	}
	text.Fields(w, "broker", b.Addr, "state", state, "durability", b.Durability+": "+survives(b.Durability), "folder", b.DataDir, "cluster", b.ClusterID,
		"started", text.Time(b.Started), "opened in", text.Micros(b.RecoveryMicros), "connections", connectionsText(b), "bytes in", text.Number(b.Traffic.BytesIn), "bytes out", text.Number(b.Traffic.BytesOut), "syncs", text.Number(b.Syncs),
		"bytes", text.Number(b.Bytes), "topics", text.Number(b.Topics), "partitions", text.Number(b.Partitions), "failed partitions", failed, "segments", text.Number(b.Segments),
		"open transactions", transactions, "compaction", compactionText(b.Compaction), "retention", retentionText(b.Retention))
	for _, warning := range b.Warnings {
		fmt.Fprintf(w, "\nWarning: %s\n", text.Safe(warning))
	}
	if len(b.Largest) > 0 {
		fmt.Fprint(w, "\nLargest topics:\n")
		writeBrokerTopics(w, b.Largest)
	}
}

func connectionsText(b api.BrokerState) string {
	said := text.Number(b.Connections)
	if b.Traffic.Refused > 0 {
		said += fmt.Sprintf("; %d were refused", b.Traffic.Refused)
	}
	return said
}

// survives says what an acknowledged record does.
func survives(durability string) string {
	switch durability {
	case "fsync":
		return "what was acknowledged survives a power cut"
	case "os":
		return "what was acknowledged survives a kill, but not a power cut"
	}
	return "everything is gone when the process ends"
}

func compactionText(c api.BrokerCompaction) string {
	if c.Error != "" {
		return "does not go on: " + c.Error
	}
	if c.Runs == 0 {
		return "no run yet"
	}
	return fmt.Sprintf("%d runs, %d of %d bytes left", c.Runs, c.BytesAfter, c.BytesBefore)
}

func retentionText(r api.BrokerRetention) string {
	if r.Segments == 0 {
		return "nothing removed yet"
	}
	return fmt.Sprintf("%d segments removed, %d bytes", r.Segments, r.Bytes)
}

// age is how long ago something was, to the second.
func age(now, t time.Time) string { return max(0, now.Sub(t)).Round(time.Second).String() }

type brokerTopics struct {
	listing
	Internal bool `help:"Internal ones, too."`
	asking
}

// Run is called by kong.
func (c *brokerTopics) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.BrokerTopic], error) {
			return client.BrokerTopics(ctx, api.TopicQuery{PageQuery: q, Internal: c.Internal})
		})
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) { writeBrokerTopics(w, page.Items) })
	})
}

func writeBrokerTopics(w io.Writer, topics []api.BrokerTopic) {
	var rows [][]string
	for _, t := range topics {
		rows = append(rows, []string{t.Name, text.Number(t.Bytes), text.Number(t.Dirty), strconv.Itoa(t.Partitions), strconv.Itoa(t.Segments), t.Cleanup, numberOrNone(t.OpenTransactions), text.Cut(t.Problem, 80)})
	}
	text.Table(w, []string{"TOPIC", "BYTES", "DIRTY", "PARTITIONS", "SEGMENTS", "CLEANUP", "OPEN TRANSACTIONS", "PROBLEM"}, rows)
}

type brokerSegments struct {
	Topic     string `arg:"" help:"Its name."`
	Partition *int32 `help:"Only this partition." placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *brokerSegments) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		t, err := client.BrokerTopic(ctx, c.Topic)
		if err != nil {
			return err
		}
		if c.Partition != nil {
			t.Parts = keep(t.Parts, func(p api.BrokerPartition) bool { return p.Partition == *c.Partition })
			if len(t.Parts) == 0 {
				return fmt.Errorf("%w: %s has no partition %d", api.ErrNotFound, c.Topic, *c.Partition)
			}
		}
		return c.show(s, t, func(w io.Writer) { writeSegments(w, t) })
	})
}

func writeSegments(w io.Writer, t api.BrokerTopicLog) {
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		settings = append(settings, name+"="+t.Settings[name])
	}
	text.Fields(w, "topic", t.Name, "bytes", text.Number(t.Bytes), "dirty", text.Number(t.Dirty), "cleanup", t.Cleanup, "settings", strings.Join(settings, ", "))
	fmt.Fprintln(w)
	var rows [][]string
	for _, p := range t.Parts {
		rows = append(rows, []string{text.Number(p.Partition), text.Number(p.Start), text.Number(p.Stable), text.Number(p.End), text.Number(p.Bytes), text.Number(p.Dirty), strconv.Itoa(p.Producers), numberOrNone(p.OpenTransactions), text.Cut(p.Problem, 80)})
	}
	text.Table(w, []string{"PARTITION", "START", "STABLE", "END", "BYTES", "DIRTY", "PRODUCERS", "OPEN TRANSACTIONS", "PROBLEM"}, rows)
	fmt.Fprintln(w)
	rows = nil
	for _, p := range t.Parts {
		for _, one := range p.Segments {
			rows = append(rows, []string{text.Number(p.Partition), text.Number(one.Base), text.Number(one.Next), text.Number(one.Bytes), text.Time(one.Newest), segmentState(one)})
		}
	}
	text.Table(w, []string{"PARTITION", "FROM", "UP TO", "BYTES", "NEWEST", "STATE"}, rows)
}

func segmentState(s api.BrokerSegment) string {
	state := "closed"
	if s.Active {
		state = "active"
	}
	if s.Compacted {
		state += ", compacted"
	}
	return state
}

type brokerTransactions struct {
	listing
	asking
}

// Run is called by kong.
func (c *brokerTransactions) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.BrokerTransaction], error) {
			return client.BrokerTransactions(ctx, q)
		})
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) { writeTransactions(w, page.Items, time.Now()) })
	})
}

func writeTransactions(w io.Writer, open []api.BrokerTransaction, now time.Time) {
	var rows [][]string
	for _, t := range open {
		openFor := age(now, t.Started)
		if t.Long {
			openFor += " (long)"
		}
		rows = append(rows, []string{t.ID, t.State, openFor, (time.Duration(t.TimeoutMillis) * time.Millisecond).String(), text.Number(t.ProducerID), text.Number(t.Epoch), strings.Join(t.Partitions, ",")})
	}
	text.Table(w, []string{"TRANSACTIONAL ID", "STATE", "OPEN FOR", "TIMEOUT", "PRODUCER", "EPOCH", "PARTITIONS"}, rows)
}
