package transform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Chain is the transforms of a connector, in their order. It is safe for use by many goroutines if
// its transforms are, as those of this package.
type Chain struct{ stages []stage }

type stage struct {
	alias, class string
	transform    plugin.Transform
	sink         sinkTransform // nil unless it is one
	predicate    plugin.Predicate
	negate       bool
}

// sinkTransform is a transform that uses what only records from Kafka have.
type sinkTransform interface {
	ApplySink(r *plugin.SinkRecord) (keep bool, err error)
}

// NewChain makes the transforms that a connector's configuration lists under "transforms", with
// the predicates under "predicates". Other keys are let be. All problems are found at once, each
// with its whole key, such as "transforms.route.regex"; where there are any, the chain is nil.
func NewChain(given map[string]string, set plugin.Set) (*Chain, []config.Problem) {
	_, problems := Definition(given, set).Parse(given)
	b := builder{given: given, set: set, wrong: problems}
	predicates := map[string]plugin.Predicate{}
	for _, alias := range aliases(given, predicatesKey) {
		if p := b.predicate(alias); p != nil {
			predicates[alias] = p
		}
	}
	c := &Chain{}
	for _, alias := range aliases(given, transformsKey) {
		if s, ok := b.stage(alias, predicates); ok {
			c.stages = append(c.stages, s)
		}
	}
	if len(b.wrong) > 0 {
		return nil, b.wrong
	}
	return c, nil
}

// Apply the transforms one after the other. keep is false where one dropped the record; those
// after it are not applied. The error names the transform that failed; the record may be half
// changed then.
func (c *Chain) Apply(r *plugin.Record) (keep bool, err error) {
	for i := range c.stages {
		s := &c.stages[i]
		applies, err := s.applies(r)
		if err == nil && applies {
			keep, err = s.transform.Apply(r)
			if err == nil && !keep {
				return false, nil
			}
		}
		if err != nil {
			return false, s.failed(err)
		}
	}
	return true, nil
}

// ApplySink is Apply for records from Kafka, whose offsets some transforms use.
func (c *Chain) ApplySink(r *plugin.SinkRecord) (keep bool, err error) {
	for i := range c.stages {
		s := &c.stages[i]
		applies, err := s.applies(&r.Record)
		if err == nil && applies {
			if s.sink != nil {
				keep, err = s.sink.ApplySink(r)
			} else {
				keep, err = s.transform.Apply(&r.Record)
			}
			if err == nil && !keep {
				return false, nil
			}
		}
		if err != nil {
			return false, s.failed(err)
		}
	}
	return true, nil
}

// Empty says that records stay as they are.
func (c *Chain) Empty() bool { return len(c.stages) == 0 }

func (s *stage) applies(r *plugin.Record) (bool, error) {
	if s.predicate == nil {
		return true, nil
	}
	ok, err := s.predicate.Test(r)
	return ok != s.negate, err
}

func (s *stage) failed(err error) error {
	return fmt.Errorf("transform %s (%s): %w", s.alias, s.class, err)
}

// builder makes what the configuration describes, and gathers what is wrong.
type builder struct {
	given map[string]string
	set   plugin.Set
	wrong []config.Problem
}

func (b *builder) stage(alias string, predicates map[string]plugin.Predicate) (stage, bool) {
	prefix := transformsKey + "." + alias + "."
	p, ok := findTransform(b.set, b.given[prefix+typeKey])
	if !ok || b.isWrong(prefix) {
		return stage{}, false
	}
	s := stage{alias: alias, class: p.Class}
	s.negate, _ = strconv.ParseBool(strings.ToLower(strings.TrimSpace(b.given[prefix+negateKey])))
	if name, ok := b.given[prefix+predicateKey]; ok {
		if s.predicate, ok = predicates[strings.TrimSpace(name)]; !ok {
			return stage{}, false // it is wrong itself, and was told
		}
	}
	values, _ := p.Config.Parse(within(b.given, prefix))
	made, err := p.New(values)
	if err != nil {
		b.fail(prefix, err)
		return stage{}, false
	}
	s.transform = made
	s.sink, _ = made.(sinkTransform)
	return s, true
}

func (b *builder) predicate(alias string) plugin.Predicate {
	prefix := predicatesKey + "." + alias + "."
	p, ok := findPredicate(b.set, b.given[prefix+typeKey])
	if !ok || b.isWrong(prefix) {
		return nil
	}
	values, _ := p.Config.Parse(within(b.given, prefix))
	made, err := p.New(values)
	if err != nil {
		b.fail(prefix, err)
		return nil
	}
	return made
}

// fail puts an error at the key that it is about, or else at the type.
func (b *builder) fail(prefix string, err error) {
	problem := config.Problem{Key: prefix + typeKey, Message: err.Error()}
	var own config.Problem
	if errors.As(err, &own) {
		problem.Key, problem.Message = prefix+own.Key, own.Message
	}
	b.wrong = append(b.wrong, problem)
}

func (b *builder) isWrong(prefix string) bool {
	for _, p := range b.wrong {
		if strings.HasPrefix(p.Key, prefix) {
			return true
		}
	}
	return false
}

// within are the settings below a prefix, without it.
func within(given map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for key, value := range given {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			out[name] = value
		}
	}
	return out
}
