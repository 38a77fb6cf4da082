package pages

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// step is a hop as the table and the graph show it.
type step struct {
	api.Hop
	Number int
	// Name says what happens, Where it happens: a row, a place in the log, a
	// consumer; Lane is the column of the graph.
	Name, Where, Lane string
	// Late says that it is under way, failed or missing.
	Late, Stuck bool
	// From and Width are the bar of the time it took, in percent of the whole.
	From, Width float64
}

// logLane is the column of what is in the log.
const logLane = "Kafka"

var hopNames = map[api.HopKind]string{
	api.HopRequest: "Request",
	api.HopOutbox:  "Outbox row",
	api.HopRecord:  "In the log",
	api.HopConsume: "Handled",
	api.HopAnswer:  "Answer owed",
}

func stepsOf(t api.Trace) []step {
	end := endOf(t)
	all := make([]step, len(t.Hops))
	done := map[string]time.Time{}
	for i, hop := range t.Hops {
		s := step{Hop: hop, Number: i + 1, Name: cmp.Or(hopNames[hop.Kind], words(hop.Kind)), Where: whereOf(hop), Lane: laneOf(hop)}
		s.Late = hop.State != api.Done
		s.Stuck = t.Stuck != nil && t.Stuck.Hop == hop.ID
		s.From, s.Width = bar(t.Begin, end, began(hop, done), cmpTime(hop.At, end))
		done[hop.ID] = hop.At
		all[i] = s
	}
	return all
}

// endOf is the right edge of the bars.
func endOf(t api.Trace) time.Time {
	end := t.End
	for _, hop := range t.Hops {
		if hop.At.After(end) {
			end = hop.At
		}
	}
	return end
}

// began is when the hop's time started to run: with its latest parent.
func began(hop api.Hop, done map[string]time.Time) time.Time {
	if !hop.At.IsZero() && hop.LatencyMicros >= 0 {
		return hop.At.Add(-time.Duration(hop.LatencyMicros) * time.Microsecond)
	}
	var latest time.Time
	for _, p := range hop.Parents {
		if done[p].After(latest) {
			latest = done[p]
		}
	}
	return cmpTime(latest, hop.At)
}

func cmpTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

// bar is a stretch of time as percent of the whole, wide enough to be seen.
func bar(begin, end, from, to time.Time) (float64, float64) {
	const least = 1.5
	whole := float64(end.Sub(begin))
	if whole <= 0 || from.IsZero() {
		return 0, least
	}
	left := min(max(float64(from.Sub(begin))/whole*100, 0), 100-least)
	right := min(max(float64(to.Sub(begin))/whole*100, left+least), 100)
	return left, right - left
}

func laneOf(hop api.Hop) string {
	if hop.Kind == api.HopRecord {
		return logLane
	}
	return cmp.Or(hop.Service, hop.Consumer, "unknown")
}

// whereOf names the place, in the terms of its kind.
func whereOf(hop api.Hop) string {
	place := placeOf(hop)
	switch hop.Kind {
	case api.HopOutbox:
		if hop.Row > 0 {
			return fmt.Sprintf("row %d", hop.Row)
		}
		return place
	case api.HopConsume, api.HopAnswer:
		return cmp.Or(hop.Consumer, hop.Service, place)
	case api.HopRequest:
		return hop.Service
	}
	return place
}

func placeOf(hop api.Hop) string {
	if hop.Partition == nil || hop.Offset == nil {
		return hop.Topic
	}
	return fmt.Sprintf("%s[%d]@%d", hop.Topic, *hop.Partition, *hop.Offset)
}

// Type of the event, "" where it is not known.
func (s step) Type() string {
	if s.Event == nil {
		return ""
	}
	return s.Event.Type
}

// InLog says whether there is a record to link to.
func (s step) InLog() bool { return s.Topic != "" && s.Partition != nil && s.Offset != nil }

// InPartition and AtOffset are the record's place where it is InLog: templates print
// pointers as addresses.
func (s step) InPartition() int32 { return *s.Partition }
func (s step) AtOffset() int64    { return *s.Offset }
