package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// access makes, changes and deletes users and access rules.
type access struct {
	w      *world
	random *rand.Rand
	users  []string
	// may are the states that each user may be in: one, unless a change is in doubt.
	may  map[string][]userState
	mu   sync.Mutex
	told map[string]int
	done int
}

// userState is what is kept of a user; the zero value is none.
type userState struct {
	iterations int32 // of the password
	rules      int
}

func newAccess(w *world) *access {
	w.config.ACLs = true
	a := &access{w: w, random: w.fork(), may: map[string][]userState{}, told: map[string]int{}}
	for i := range 5 {
		user := fmt.Sprint("user-", i)
		a.users, a.may[user] = append(a.users, user), []userState{{}}
	}
	return a
}

func (a *access) name() string          { return "users and rules" }
func (a *access) topics() []kafka.Topic { return nil }

func (a *access) run(ctx context.Context) error {
	client, err := a.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for !a.w.over() && ctx.Err() == nil {
		user := a.users[a.random.IntN(len(a.users))]
		if err := a.compare(ctx, admin, user, &a.w.findings); err != nil {
			a.note("look", err)
			continue
		}
		a.change(ctx, admin, user, a.may[user][0])
		a.w.pace(a.random, 100*time.Millisecond)
	}
	return nil
}

func (a *access) change(ctx context.Context, admin *kadm.Client, user string, is userState) {
	next := is
	var ask func() error
	switch what := a.random.IntN(4); {
	case what == 0 && is.iterations > 0:
		next.iterations = 0
		ask = func() error { return setPassword(ctx, admin, user, 0) }
	case what <= 1:
		next.iterations = 4096 + a.random.Int32N(1000)
		ask = func() error { return setPassword(ctx, admin, user, next.iterations) }
	case is.rules > 0 && what == 2:
		next.rules = 0
		ask = func() error {
			done, err := admin.DeleteACLs(ctx, rules(user))
			for _, r := range done {
				err = errors.Join(err, r.Err)
			}
			return err
		}
	default:
		next.rules++
		ask = func() error {
			done, err := admin.CreateACLs(ctx, rules(user, fmt.Sprint("topic-", is.rules)))
			for _, r := range done {
				err = errors.Join(err, r.Err)
			}
			return err
		}
	}
	a.may[user] = []userState{is, next}
	if err := ask(); err != nil {
		a.note("change", err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done++
	a.may[user] = []userState{next}
}

// setPassword deletes it where there are to be no iterations.
func setPassword(ctx context.Context, admin *kadm.Client, user string, iterations int32) error {
	var gone []kadm.DeleteSCRAM
	var made []kadm.UpsertSCRAM
	if iterations == 0 {
		gone = append(gone, kadm.DeleteSCRAM{User: user, Mechanism: kadm.ScramSha256})
	} else {
		made = append(made, kadm.UpsertSCRAM{
			User: user, Mechanism: kadm.ScramSha256, Iterations: iterations,
			Salt: []byte("0123456789abcdef"), SaltedPassword: make([]byte, 32),
		})
	}
	done, err := admin.AlterUserSCRAMs(ctx, gone, made)
	return errors.Join(err, done.Error())
}

// rules are a user's for topics, any without a name.
func rules(user string, topics ...string) *kadm.ACLBuilder {
	return kadm.NewACLs().Topics(topics...).Allow("User:" + user).AllowHosts("*").Operations(kadm.OpRead).
		ResourcePatternType(kadm.ACLPatternLiteral)
}

func (a *access) compare(ctx context.Context, admin *kadm.Client, user string, f *findings) error {
	is, err := userStateOf(ctx, admin, user)
	if err != nil {
		return err
	}
	if !slices.Contains(a.may[user], is) {
		f.add(wrong, "user %s is %+v, and can be %+v", user, is, a.may[user])
	}
	a.may[user] = []userState{is}
	return nil
}

func userStateOf(ctx context.Context, admin *kadm.Client, user string) (s userState, err error) {
	described, err := admin.DescribeUserSCRAMs(ctx, user)
	if err = errors.Join(err, ignore(described.Error(), kerr.ResourceNotFound)); err != nil {
		return s, err
	}
	for _, info := range described[user].CredInfos {
		s.iterations = info.Iterations
	}
	found, err := admin.DescribeACLs(ctx, rules(user))
	for _, r := range found {
		err = errors.Join(err, r.Err)
		s.rules += len(r.Described)
	}
	return s, err
}

func (a *access) note(what string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[what+": "+err.Error()]++
}

func (a *access) check(ctx context.Context, f *findings) error {
	client, err := a.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for _, user := range a.users {
		if err := a.compare(ctx, kadm.NewClient(client), user, f); err != nil {
			return fmt.Errorf("%s: %w", user, err)
		}
	}
	return nil
}

func (a *access) did() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text := fmt.Sprintf("%d; clients were told %v", a.done, a.told)
	if a.done < 5 {
		return text, errors.New("too few changes")
	}
	return text, nil
}
