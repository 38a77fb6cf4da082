package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// positions commits offsets of groups without members, and deletes groups.
type positions struct {
	w      *world
	topic  string
	random []*rand.Rand
	mu     sync.Mutex
	groups map[string]*positionBook
	told   map[string]int
	commit int
	delete int
}

// positionBook is what is committed for a group: in each partition something from what was
// acknowledged last up to what was asked for last.
type positionBook struct {
	acknowledged, asked [partitions]int64 // 0 is nothing
	// deleted: the group was, in doubt: perhaps.
	deleted bool
	doubt   bool
}

func newPositions(w *world) *positions {
	p := &positions{w: w, topic: "positioned", groups: map[string]*positionBook{}, told: map[string]int{}}
	for range 2 {
		p.random = append(p.random, w.fork())
	}
	return p
}

func (p *positions) name() string { return "positions" }

func (p *positions) topics() []kafka.Topic {
	return []kafka.Topic{{Name: p.topic, Partitions: partitions}}
}

func (p *positions) run(ctx context.Context) error {
	var committers sync.WaitGroup
	failed := make([]error, len(p.random))
	for i, random := range p.random {
		committers.Go(func() { failed[i] = p.committer(ctx, fmt.Sprint("committer-", i), random) })
	}
	committers.Wait()
	return errors.Join(failed...)
}

func (p *positions) committer(ctx context.Context, id string, random *rand.Rand) error {
	client, err := p.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for n := 0; !p.w.over(); n++ {
		group := fmt.Sprintf("%s.%d", id, n)
		p.book(group, func(*positionBook) {})
		for steps := 20 + random.IntN(100); steps > 0 && !p.w.over(); steps-- {
			p.advance(ctx, admin, group, random)
			if random.IntN(10) == 0 {
				if err := p.compare(ctx, admin, group, func(format string, args ...any) { p.w.findings.add(wrong, format, args...) }); err != nil && !passing(err) {
					return err
				}
			}
			p.w.pace(random, 10*time.Millisecond)
		}
		if random.IntN(2) == 0 {
			p.remove(ctx, admin, group)
		}
	}
	return nil
}

// book changes what is known of a group.
func (p *positions) book(group string, change func(*positionBook)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.groups[group] == nil {
		p.groups[group] = &positionBook{}
	}
	change(p.groups[group])
}

// advance commits positions further on for some partitions.
func (p *positions) advance(ctx context.Context, admin *kadm.Client, group string, random *rand.Rand) {
	var offsets kadm.Offsets
	p.book(group, func(b *positionBook) {
		for i := range b.asked {
			if random.IntN(3) > 0 {
				b.asked[i] += 1 + random.Int64N(10)
				offsets.AddOffset(p.topic, int32(i), b.asked[i], -1)
			}
		}
	})
	done, err := admin.CommitOffsets(ctx, group, offsets)
	if err = errors.Join(err, done.Error()); err != nil {
		p.note("commit", err)
		return
	}
	p.book(group, func(b *positionBook) {
		p.commit++
		offsets.Each(func(o kadm.Offset) { b.acknowledged[o.Partition] = o.At })
	})
}

func (p *positions) remove(ctx context.Context, admin *kadm.Client, group string) {
	p.book(group, func(b *positionBook) { b.doubt = true })
	_, err := admin.DeleteGroup(ctx, group)
	if err != nil {
		p.note("delete", err)
		return
	}
	p.book(group, func(b *positionBook) { p.delete++; b.deleted = true })
}

// compare asks for a group's positions.
func (p *positions) compare(ctx context.Context, admin *kadm.Client, group string, found func(format string, args ...any)) error {
	at, err := admin.FetchOffsets(ctx, group)
	if err = ignore(err, kerr.GroupIDNotFound); err != nil {
		return err
	}
	p.book(group, func(b *positionBook) {
		for i := range b.asked {
			got, ok := at.Lookup(p.topic, int32(i))
			offset := max(got.At, 0)
			switch gone := !ok || got.At < 0; {
			case b.deleted && !gone:
				found("group %s was deleted, and is at %d of partition %d", group, got.At, i)
			case b.deleted, b.doubt && gone:
			case offset < b.acknowledged[i] || offset > b.asked[i]:
				found("group %s is at %d of partition %d: it was at %d, and asked for %d", group, offset, i, b.acknowledged[i], b.asked[i])
			}
		}
	})
	return nil
}

func (p *positions) note(what string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told[what+": "+err.Error()]++
}

func (p *positions) check(ctx context.Context, f *findings) error {
	client, err := p.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for group := range p.groups {
		if err := p.compare(ctx, kadm.NewClient(client), group, func(format string, args ...any) { f.add(lost, format, args...) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *positions) did() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%d commits for %d groups, of which %d were deleted; clients were told %v", p.commit, len(p.groups), p.delete, p.told)
	if p.commit < 10 {
		return text, errors.New("too few commits")
	}
	return text, nil
}
