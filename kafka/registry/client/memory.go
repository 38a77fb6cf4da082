package client

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// memory is what was asked before.
type memory struct {
	cfg Config

	mu      sync.Mutex
	known   known
	missing map[int]miss
	askedAt map[string]time.Time // when the latest versions were
	changed bool                 // since the file was written
	wake    chan struct{}        // nil without a file
	stop    chan struct{}
	ending  sync.Once
	done    sync.WaitGroup
	failed  error // of the last write of the file
}

// known is what the file has, too.
type known struct {
	// URLs and Context say whose ids these are.
	URLs    []string `json:"urls"`
	Context string   `json:"context,omitempty"`

	Schemas map[int]Schema `json:"schemas"`
	// IDs by what registeredKey makes.
	IDs map[string]int `json:"ids"`
	// Latest versions by subject, and versions by "version subject".
	Latest   map[string]Registered `json:"latest"`
	Versions map[string]Registered `json:"versions"`
}

type miss struct {
	err  error
	till time.Time
}

// missFor is how long an id that does not exist is not asked for again: a topic may be full of
// records with it.
const missFor = 5 * time.Second

func newMemory(c Config) *memory {
	m := &memory{cfg: c, stop: make(chan struct{}), missing: map[int]miss{}, askedAt: map[string]time.Time{}}
	m.known = known{URLs: c.URLs, Context: c.Context}
	m.known.fill()
	return m
}

func (k *known) fill() {
	if k.Schemas == nil {
		k.Schemas = map[int]Schema{}
	}
	if k.IDs == nil {
		k.IDs = map[string]int{}
	}
	if k.Latest == nil {
		k.Latest = map[string]Registered{}
	}
	if k.Versions == nil {
		k.Versions = map[string]Registered{}
	}
}

// registeredKey is short, and equal for the same subject and schema only.
func registeredKey(subject string, s Schema) string {
	text, _ := json.Marshal(s) // texts and numbers
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]) + " " + subject
}

func versionKey(subject string, version int) string { return fmt.Sprint(version, " ", subject) }

func (m *memory) id(key string) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.known.IDs[key]
	return id, ok
}

func (m *memory) schema(id int) (Schema, error, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.known.Schemas[id]; ok {
		return s, nil, true
	}
	if gone, ok := m.missing[id]; ok && time.Now().Before(gone.till) {
		return Schema{}, gone.err, true
	}
	return Schema{}, nil, false
}

func (m *memory) miss(id int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit(m.missing, m.cfg.MaxSchemas)
	m.missing[id] = miss{err, time.Now().Add(missFor)}
}

// keep remembers an id; key is empty where the subject is not known. What registering took is not
// what the id stands for to the letter, so that only asking for the id says that.
func (m *memory) keep(key string, id int, s Schema) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.missing, id)
	if key != "" {
		limit(m.known.IDs, m.cfg.MaxSchemas)
		m.known.IDs[key] = id
	} else {
		limit(m.known.Schemas, m.cfg.MaxSchemas)
		m.known.Schemas[id] = s
	}
	m.dirty()
}

func (m *memory) latest(subject string) (Registered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, asked := m.askedAt[subject]
	return m.known.Latest[subject], asked && time.Since(at) < m.cfg.LatestFor
}

func (m *memory) keepLatest(subject string, r Registered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit(m.known.Latest, m.cfg.MaxSchemas)
	limit(m.known.Schemas, m.cfg.MaxSchemas)
	limit(m.askedAt, m.cfg.MaxSchemas)
	m.known.Latest[subject], m.known.Schemas[r.ID], m.askedAt[subject] = r, r.Schema, time.Now()
	m.dirty()
}

func (m *memory) version(subject string, version int) (Registered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known.Versions[versionKey(subject, version)]
	return r, ok
}

func (m *memory) keepVersion(subject string, version int, r Registered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit(m.known.Versions, m.cfg.MaxSchemas)
	m.known.Versions[versionKey(subject, version)] = r
	m.dirty()
}

// limit makes room for one more; which one goes does not matter.
func limit[K comparable, V any](of map[K]V, most int) {
	for key := range of {
		if len(of) < most {
			return
		}
		delete(of, key)
	}
}
