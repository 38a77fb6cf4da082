package cluster

import (
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// stand is where a group stands in a partition, and where it is to go.
type stand struct {
	place
	committed int64 // -1 for none
	log       span
	found     found
}

// plan decides what a reset does; stands are by partition. It is pure: execution
// follows it move by move, leaving out those with a Problem.
func plan(r api.ResetRequest, to target, replay bool, stands []stand) api.ResetPlan {
	out := api.ResetPlan{Group: r.Group, Replay: replay, DryRun: r.DryRun, Moves: make([]api.ResetMove, len(stands))}
	var warnings []string
	again, skipped, late := int64(0), int64(0), 0
	for i, s := range stands {
		m := api.ResetMove{Topic: s.topic, Partition: s.partition, From: s.committed, To: s.found.offset}
		end := s.log.end
		switch {
		case s.log.err != nil:
			m.To, m.Problem = -1, "its log could not be asked: "+s.log.err.Error()
		case m.To < s.log.start:
			if to.kind == toOffset {
				warnings = append(warnings, fmt.Sprintf("offset %d of partition %d is gone: it goes to the start, %d", m.To, s.partition, s.log.start))
			}
			m.To = s.log.start
		case m.To > end:
			if to.kind == toOffset {
				warnings = append(warnings, fmt.Sprintf("offset %d is past the end of partition %d: it goes to the end, %d", m.To, s.partition, end))
			}
			m.To = end
		}
		if s.found.none {
			late++
		}
		if replay && m.Problem == "" {
			m.Problem = whyNoReplay(m)
		}
		if m.Problem == "" {
			from := max(m.From, s.log.start)
			if m.From < 0 {
				from = m.To // where it would have begun is its own affair
			}
			again += max(from-m.To, 0)
			skipped += max(m.To-from, 0)
		}
		out.Moves[i] = m
	}
	if late > 0 {
		warnings = append(warnings, fmt.Sprintf("in %d of %d partitions no message is from %s or later: they go to the end",
			late, len(stands), to.at.UTC().Format(time.RFC3339Nano)))
	}
	out.Warning = strings.Join(append(consequences(replay, again, skipped), warnings...), "; ")
	return out
}

// whyNoReplay says why a consumer of a service cannot go there; "" where it can.
func whyNoReplay(m api.ResetMove) string {
	switch {
	case m.From < 0:
		return "nothing of this partition was handled yet: there is nothing to replay"
	case m.To > m.From:
		return fmt.Sprintf("a replay only goes back: the consumer stands at %d, and going to %d would skip %d messages that its database has not handled", m.From, m.To, m.To-m.From)
	case m.To == m.From:
		return fmt.Sprintf("the consumer stands at %d already", m.From)
	}
	return ""
}

// consequences in plain words. The figures are upper bounds: offsets are not all
// messages.
func consequences(replay bool, again, skipped int64) []string {
	var out []string
	if again > 0 {
		text := fmt.Sprintf("up to %d messages come again", again)
		if replay {
			text += ", and their handlers run again, each once: what they do beyond the database (mails, calls) is done again"
		}
		out = append(out, text)
	}
	if skipped > 0 {
		out = append(out, fmt.Sprintf("up to %d messages are skipped and never handled by this group", skipped))
	}
	return out
}
