// Package mask hides parts of messages from users whose role is not enough: fields
// of JSON values, headers, keys. It errs on hiding: where a rule names fields of a
// topic, a value that cannot be looked into is hidden whole.
//
// What it cannot know: a field's content that is repeated elsewhere, for example in
// the error text of a dead letter, or JSON that is a string within JSON. Name those
// fields as well.
package mask

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Hidden stands where something was hidden.
const Hidden = api.Hidden

// Rule hides parts of the messages of topics.
type Rule struct {
	// Topics are patterns such as "payments" or "order*" (see path.Match), of names
	// with or without the tenant's prefix. A dead letter is covered by the rules
	// of the topic it came from, too. None: all topics. Events and states of
	// entities are covered by the rules for their entity type, what is in a store of a
	// stream processing application by those for the store's name and for every topic that
	// the application reads.
	Topics []string `json:"topics,omitempty"`
	// Fields of JSON values: "card.number", "items[*].price", "items[0].price",
	// "*.secret" (any field), "**.password" (at any depth), ["a.b"] for names with
	// signs in them. Case does not matter. Elements of an array are also found
	// without [*]. What a field holds is hidden whole, objects too.
	Fields []string `json:"fields,omitempty"`
	// Headers by name, case does not matter; "*" is all. A CloudEvents attribute
	// is named as its header, such as "ce_correlationid"; what an event of an entity
	// has beside its payload is "metadata" and "tags".
	Headers []string `json:"headers,omitempty"`
	// Keys hides the records' keys, and who the entities are: theirs are not shown.
	Keys bool `json:"keys,omitempty"`
	// Reveal is the least role that sees all; "" is none.
	Reveal api.Role `json:"reveal,omitempty"`
}

// Rules hide what their rules name. A nil *Rules hides nothing.
type Rules struct {
	rules  []compiled
	prefix string
}

type compiled struct {
	Rule
	paths []fieldPath
}

// New checks rules; its error names the rule and the part. prefix is the
// tenant's, "" for none.
func New(rules []Rule, prefix string) (*Rules, error) {
	out := &Rules{prefix: prefix}
	for i, r := range rules {
		c, err := compile(r)
		if err != nil {
			return nil, fmt.Errorf("masking rule %d: %w", i+1, err)
		}
		out.rules = append(out.rules, c)
	}
	return out, nil
}

func compile(r Rule) (compiled, error) {
	c := compiled{Rule: r}
	for _, pattern := range r.Topics {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return c, fmt.Errorf("topics: %q is no pattern: use a name, * and ?", pattern)
		}
	}
	for _, f := range r.Fields {
		p, err := parsePath(f)
		if err != nil {
			return c, fmt.Errorf("fields: %q: %w", f, err)
		}
		c.paths = append(c.paths, p)
	}
	if slices.Contains(r.Headers, "") {
		return c, fmt.Errorf("headers: a name is empty")
	}
	if len(r.Fields) == 0 && len(r.Headers) == 0 && !r.Keys {
		return c, fmt.Errorf("it hides nothing: give fields, headers or keys")
	}
	if r.Reveal != "" && !r.Reveal.Includes(api.Viewer) {
		return c, fmt.Errorf("reveal: %q is no role: use viewer, operator or admin, or leave it out", r.Reveal)
	}
	return c, nil
}

// Message hides in m, in place, what the user of ctx must not see, and names it in
// m.Masked. m must be whole: a value already cut is hidden.
func (r *Rules) Message(ctx context.Context, m *api.Message) {
	r.MessageOf(ctx, m, m.Topic, source(m))
}

// MessageOf is Message for one that the rules of all these topics cover.
func (r *Rules) MessageOf(ctx context.Context, m *api.Message, topics ...string) {
	s := r.sum(ctx, topics...)
	s.value(m)
	s.headers(m)
	if s.keys && m.Key.Format != "null" {
		m.Key = hidden()
		s.note("key")
	}
	if m.Event != nil {
		s.event(m.Event)
	}
	m.Masked = s.masked
}

// Event hides the attributes of an event of that topic (its full name) that the
// user of ctx must not see.
func (r *Rules) Event(ctx context.Context, topic string, e *api.Event) {
	s := r.sum(ctx, topic, "")
	s.event(e)
}

// Hides says whether the user of ctx sees messages of that topic (its full name)
// only in part, so that what is shown must not be written back.
func (r *Rules) Hides(ctx context.Context, topic string) bool {
	s := r.sum(ctx, topic, "")
	return s.keys || len(s.paths) > 0 || len(s.names) > 0
}

// HidesKeysOf says whether the user of ctx must not see the keys of that topic (its
// full name).
func (r *Rules) HidesKeysOf(ctx context.Context, topic string) bool { return r.sum(ctx, topic).keys }

// HidesKeysOfAny is HidesKeysOf of one of these.
func (r *Rules) HidesKeysOfAny(ctx context.Context, topics ...string) bool {
	return r.sum(ctx, topics...).keys
}

// HidesAny says whether there is something that the user of ctx must not see.
func (r *Rules) HidesAny(ctx context.Context) bool {
	role := api.UserOf(ctx).Role
	return r != nil && slices.ContainsFunc(r.rules, func(c compiled) bool { return c.Reveal == "" || !role.Includes(c.Reveal) })
}

// HidesKeys says whether there are topics whose keys the user of ctx must not see.
func (r *Rules) HidesKeys(ctx context.Context) bool {
	role := api.UserOf(ctx).Role
	return r != nil && slices.ContainsFunc(r.rules, func(c compiled) bool {
		return c.Keys && (c.Reveal == "" || !role.Includes(c.Reveal))
	})
}

func hidden() api.Data { return api.Data{Format: "text", Text: Hidden, Size: len(Hidden)} }

// sum puts together the rules that bind the user of ctx in those topics.
func (r *Rules) sum(ctx context.Context, topics ...string) sum {
	var s sum
	if r == nil {
		return s
	}
	role := api.UserOf(ctx).Role
	for _, c := range r.rules {
		if c.Reveal != "" && role.Includes(c.Reveal) || !slices.ContainsFunc(topics, func(t string) bool { return r.covers(c, t) }) {
			continue
		}
		s.paths = append(s.paths, c.paths...)
		s.names = append(s.names, c.Headers...)
		s.keys = s.keys || c.Keys
	}
	return s
}

func (r *Rules) covers(c compiled, topic string) bool {
	if topic == "" {
		return false
	}
	return len(c.Topics) == 0 || slices.ContainsFunc(c.Topics, func(pattern string) bool {
		for _, name := range []string{topic, strings.TrimPrefix(topic, r.prefix), r.prefix + topic} {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
		return false
	})
}
