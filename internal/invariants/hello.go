package invariants

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// HelloTable is the table of the topic hello-log-store, computed anew.
type HelloTable struct {
	// Records of the topic.
	Records int64
	// Values are the last JSON of each persistence id; Deleted those whose last is null.
	Values  map[string]string
	Deleted map[string]bool
}

// HelloState is what customers know of one from their answers.
type HelloState struct {
	Exists       bool
	Mood         string
	Count, Total int64
	// Slack is by how much both counts may be higher: greetings that were repeated.
	Slack int64
}

// HelloFacts are what CheckHello compares.
type HelloFacts struct {
	// Service is the database of hello.
	Service Viewer
	Table   HelloTable
	// Redis is its copy, by persistence id: all keys of the table, those deleted, and
	// whatever else there is.
	Redis map[string]string
	// Expected is what must be in the table.
	Expected map[string]HelloState
}

// HelloCounts are of the whole topic.
type HelloCounts struct {
	// In is the records of hello-log-store, Keys the entries of the table.
	In   int64 `json:"in"`
	Keys int64 `json:"keys"`
	// Stuck are commands never answered, and answered changes that are not in the table.
	Stuck      int64 `json:"stuck"`
	RedisEqual bool  `json:"redis_equal"`
}

// Names of hello's invariants.
const (
	HelloRedis    = "hello redis"    // the copy is the table, key by key
	HelloStates   = "hello states"   // the table has what was answered
	HelloMessages = "hello messages" // none waits, none failed, none is dead
)

// CheckHello computes them, like Check.
func CheckHello(ctx context.Context, facts HelloFacts) (HelloCounts, []Result, error) {
	c := helloChecker{facts, newFindings(HelloRedis, HelloStates, HelloMessages)}
	n := HelloCounts{In: facts.Table.Records, Keys: int64(len(facts.Table.Values))}
	n.RedisEqual = c.copied()
	n.Stuck = c.states()
	if err := c.leftovers(ctx, HelloMessages, []Named{{"hello", facts.Service}}); err != nil {
		return n, nil, fmt.Errorf("read hello's database: %w", err)
	}
	return n, c.results(), nil
}

type helloChecker struct {
	HelloFacts
	findings
}

// copied compares Redis with the table.
func (c helloChecker) copied() (equal bool) {
	equal = true
	unequal := func(format string, args ...any) {
		equal = false
		c.violated(HelloRedis, format, args...)
	}
	for _, key := range slices.Sorted(maps.Keys(c.Table.Values)) {
		want := c.Table.Values[key]
		switch got, ok := c.Redis[key]; {
		case !ok:
			unequal("Redis lacks %s", key)
		case got != want:
			unequal("%s is %s in Redis, %s in the topic", key, got, want)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Redis)) {
		_, ok := c.Table.Values[key]
		switch {
		case c.Table.Deleted[key]:
			unequal("%s was deleted, and is in Redis", key)
		case !ok:
			unequal("%s is in Redis, and was never in the topic", key)
		}
	}
	c.summary(HelloRedis, "%d keys of %d records, %d deleted ones are gone", len(c.Table.Values), c.Table.Records, len(c.Table.Deleted))
	return equal
}

// states compares the table with what was answered.
func (c helloChecker) states() (wrong int64) {
	for _, key := range slices.Sorted(maps.Keys(c.Expected)) {
		if problem := c.Expected[key].unlike(c.Table, key); problem != "" {
			wrong++
			c.violated(HelloStates, "%s %s", key, problem)
		}
	}
	c.summary(HelloStates, "%d states are what was answered", len(c.Expected))
	return wrong
}

func (s HelloState) unlike(table HelloTable, key string) string {
	value, ok := table.Values[key]
	if ok != s.Exists {
		return map[bool]string{true: "should not be there", false: "is not there"}[ok]
	}
	if !ok {
		return ""
	}
	var got struct {
		State           string `json:"state"`
		HelloCount      int64  `json:"helloCount"`
		HelloTotalCount int64  `json:"helloTotalCount"`
	}
	if err := json.Unmarshal([]byte(value), &got); err != nil {
		return "is not JSON: " + err.Error()
	}
	within := func(got, want int64) bool { return want <= got && got <= want+s.Slack }
	if got.State != s.Mood || !within(got.HelloCount, s.Count) || !within(got.HelloTotalCount, s.Total) {
		return fmt.Sprintf("is %s, and %s with %d of %d greetings was answered", value, s.Mood, s.Count, s.Total)
	}
	return ""
}
