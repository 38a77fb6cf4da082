package core

import (
	"crypto/sha256"
	"fmt"
	"sync"
)

// checked remembers schemas of requests that were read lately: one that is registered is read when it
// is looked for, when it is decided on, and again where another instance came in between.
type checked struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*check
}

// maxChecked is how many are remembered.
const maxChecked = 64

// check is one schema, read and validated once.
type check struct {
	v      *Version
	refs   []resolved
	limits Limits

	reading    sync.Once
	f          format
	failed     error
	validating sync.Once
	invalid    error
}

func (c *checked) of(v *Version, refs []resolved, limits Limits) *check {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", v.Type, v.Schema)
	for _, r := range refs {
		fmt.Fprintf(h, " %q %q", r.name, r.schema.Schema)
	}
	key := [sha256.Size]byte(h.Sum(nil))
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[key]; known != nil {
		return known
	}
	for other := range c.all {
		if len(c.all) < maxChecked {
			break
		}
		delete(c.all, other) // which one does not matter
	}
	if c.all == nil {
		c.all = map[[sha256.Size]byte]*check{}
	}
	out := &check{v: v, refs: refs, limits: limits}
	c.all[key] = out
	return out
}

func (c *check) read() (format, error) {
	c.reading.Do(func() { c.f, c.failed = parsed(c.v, c.refs, c.limits.Limits) })
	return c.f, c.failed
}

func (c *check) validate() error {
	f, err := c.read()
	if err != nil {
		return err
	}
	c.validating.Do(func() { c.invalid = f.Validate() })
	return c.invalid
}

// Warm returns what may be called without the state, and makes what is decided on a request quick:
// schemas are read and validated by it.
func (s *State) Warm(subject string, r Request) func() {
	v := s.given(subject, r)
	if c, err := s.checkOf(v, true); err == nil {
		return func() { _ = c.validate() } // who decides finds the error
	}
	return func() {}
}

// given is the schema of a request as it was sent.
func (s *State) given(subject string, r Request) *Version {
	v := &Version{Subject: subject, Type: r.Type, Schema: r.Schema, Metadata: r.Metadata, RuleSet: r.RuleSet}
	if v.Type == "" {
		v.Type = Avro
	}
	for _, ref := range r.References {
		if ref.Version == Latest {
			if latest := s.latest(Qualify(subject, ref.Subject)); latest != nil {
				ref.Version = latest.Version
			}
		}
		v.References = append(v.References, ref)
	}
	return v
}

// checkOf reads the schema of a request, within the limits. A schema that is new refers to none that
// is deleted.
func (s *State) checkOf(v *Version, deleted bool) (*check, error) {
	if len(v.Schema) > s.limits.Text {
		return nil, errorf(SchemaTooLarge, "The schema is too large: it has %d bytes, more than %d", len(v.Schema), s.limits.Text)
	}
	refs, err := s.resolve(v, deleted)
	if err != nil {
		return nil, err
	}
	return s.checked.of(v, refs, s.limits), nil
}
