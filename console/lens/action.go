package lens

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// Actions are requests of the JSON API, relative to it.

func resumeRelay(service string) *api.Action {
	return &api.Action{
		Label: "Resume the relay of " + service, Method: "POST",
		Path: "services/" + url.PathEscape(service) + "/outbox/relay",
		Body: body(map[string]any{"paused": false}), Role: api.Operator,
		Safe:    "Rows kept their order while the relay was paused; each is published once.",
		Command: "pabal outbox resume " + quote(service),
	}
}

func replayRow(service string, row int64) *api.Action {
	return &api.Action{
		Label: fmt.Sprintf("Replay row %d of %s", row, service), Method: "POST",
		Path: "services/" + url.PathEscape(service) + "/outbox/replay",
		Body: body(map[string]any{"ids": []int64{row}}), Role: api.Operator,
		Safe:    "Only a FAILED row is set back; it was never published, and is published once.",
		Command: fmt.Sprintf("pabal outbox replay %s %d", quote(service), row),
	}
}

func replayFailed(service string, count int64) *api.Action {
	return &api.Action{
		Label: fmt.Sprintf("Replay %d FAILED rows of %s", count, service), Method: "POST",
		Path: "services/" + url.PathEscape(service) + "/outbox/replay",
		Body: body(map[string]any{"all": true}), Role: api.Operator,
		Safe:    "Only FAILED rows are set back; they were never published, and each is published once.",
		Command: "pabal outbox replay " + quote(service) + " --all",
	}
}

func redriveLetter(consumer string, l *entry) *api.Action {
	id := fmt.Sprintf("%s/%d/%d", l.topic, l.partition, l.offset)
	return &api.Action{
		Label: "Redrive the dead letter to " + consumer, Method: "POST", Path: "redrives",
		Body: body(map[string]any{"ids": []string{id}}), Role: api.Operator,
		Safe:    "The message keeps its id and goes to this consumer only, which handles it once; others skip it.",
		Command: "pabal dead-letters redrive " + quote(id),
	}
}

func releaseKey(c *consumerFact, topic, key string) *api.Action {
	return &api.Action{
		Label: "Release key " + key, Method: "POST",
		Path: "services/" + url.PathEscape(c.service) + "/consumers/" + url.PathEscape(c.Name) + "/release",
		Body: body(map[string]any{"topic": topic, "key": key}), Role: api.Operator,
		Safe:    "Messages that wait go on in their order, each handled once; the dead letter stays where it is.",
		Command: fmt.Sprintf("pabal waiting release %s %s %s %s", quote(c.service), quote(c.Name), quote(topic), quote(key)),
	}
}

// retryStep is nil where the step has nothing to send again.
func retryStep(s *sagaFact, step saga.StepState) *api.Action {
	if step.Command == "" || !s.Operable {
		return nil
	}
	const reason = "retried from the transaction"
	return &api.Action{
		Label: fmt.Sprintf("Retry step %s of saga %s", step.Name, s.Name), Method: "POST",
		Path: "services/" + url.PathEscape(s.service) + "/sagas/" + url.PathEscape(s.Name) + "/" + url.PathEscape(s.ID) + "/act",
		Body: body(map[string]any{"do": saga.RetryAct, "step": step.Name, "reason": reason, "revision": s.Revision}), Role: api.Operator,
		Safe: "The step's message goes out once more, as the saga's own retries do, under the same business key; nothing is done where the saga has changed meanwhile.",
		Command: fmt.Sprintf("pabal sagas retry %s %s %s --step %s --revision %d --reason %s",
			quote(s.service), quote(s.Name), quote(s.ID), quote(step.Name), s.Revision, quote(reason)),
	}
}

func body(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // of texts and numbers: cannot fail
	}
	return data
}

// quote makes a text one word of a POSIX shell.
func quote(s string) string {
	plain := s != ""
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' || r == '/') {
			plain = false
		}
	}
	if plain {
		return s
	}
	out := []byte{'\''}
	for i := range len(s) {
		if s[i] == '\'' {
			out = append(out, `'\''`...)
			continue
		}
		out = append(out, s[i])
	}
	return string(append(out, '\''))
}
