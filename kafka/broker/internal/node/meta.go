package node

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// meta is what the file of that name holds: all of the folder that is not records. It is
// written whole, so that one write makes any number of changes at once.
type meta struct {
	Cluster string `json:"cluster"`
	Secret  []byte `json:"secret"`
	// Epoch is the leader epoch. It goes up with each start after which Clean is not set.
	Epoch    int32             `json:"epoch"`
	Clean    bool              `json:"clean"`
	Settings map[string]string `json:"settings,omitempty"`
	Topics   []metaTopic       `json:"topics"`
}

// metaTopic is one topic.
type metaTopic struct {
	Name       string            `json:"name"`
	ID         topicID           `json:"id"`
	Partitions int               `json:"partitions"`
	Settings   map[string]string `json:"settings,omitempty"`
}

// topicID is in hexadecimal digits, as in the names of folders.
type topicID [16]byte

func (id topicID) String() string               { return hex.EncodeToString(id[:]) }
func (id topicID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *topicID) UnmarshalText(b []byte) error {
	if len(b) != 2*len(id) {
		return fmt.Errorf("%q is no topic id", b)
	}
	_, err := hex.Decode(id[:], b)
	return err
}

const (
	metaFile   = "meta"
	metaFormat = "pabal broker 1 crc32c %08x\n"
	maxMeta    = 256 << 20
)

// ErrDamaged says that the folder's meta file is not as it was written. Nothing is opened
// then, for without it nobody knows what the folder holds.
var ErrDamaged = errors.New("damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode is a line with a checksum, then JSON.
func (m *meta) encode() ([]byte, error) {
	body, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(metaFormat, crc32.Checksum(body, castagnoli))
	return append([]byte(head), body...), nil
}

func decodeMeta(b []byte) (*meta, error) {
	head, body, _ := bytes.Cut(b, []byte("\n"))
	if want := fmt.Sprintf(metaFormat, crc32.Checksum(body, castagnoli)); string(head)+"\n" != want {
		if strings.HasPrefix(string(head), "pabal broker ") && !strings.HasPrefix(string(head), "pabal broker 1 ") {
			return nil, fmt.Errorf("%q is the format of another version of this program", head)
		}
		return nil, fmt.Errorf("%w: the checksum does not match", ErrDamaged)
	}
	m := new(meta)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, m.check()
}

// check refuses what no version of this program writes.
func (m *meta) check() error {
	ids := map[topicID]bool{}
	names := map[string]bool{}
	for _, t := range m.Topics {
		if ids[t.ID] || names[t.Name] || t.Partitions < 1 || checkName(t.Name) != nil {
			return fmt.Errorf("%w: topic %q (%s) with %d partitions", ErrDamaged, t.Name, t.ID, t.Partitions)
		}
		ids[t.ID], names[t.Name] = true, true
	}
	if m.Cluster == "" || len(m.Secret) != secretBytes || m.Epoch < 0 {
		return fmt.Errorf("%w: cluster id, secret or epoch is missing", ErrDamaged)
	}
	return nil
}

// readMeta returns nil where there is none.
func readMeta(fsys vfs.FS, dir string) (*meta, error) {
	b, err := vfs.ReadFile(fsys, dir+"/"+metaFile, maxMeta)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := decodeMeta(b)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w; restore it from a copy, or choose another folder", dir, metaFile, err)
	}
	return m, nil
}

// errInDoubt says that nobody knows which of two meta files the disk has.
var errInDoubt = errors.New("it is not known what the disk holds")

// write puts the file in place. Errors are errInDoubt, or nothing has changed.
func (m *meta) write(fsys vfs.FS, dir string) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	beside := dir + "/" + metaFile + ".new"
	if err := vfs.WriteSynced(fsys, beside, b); err != nil {
		return fmt.Errorf("write %s: %w", beside, err)
	}
	err = fsys.Rename(beside, dir+"/"+metaFile)
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write %s/%s: %w: %w", dir, metaFile, errInDoubt, err)
	}
	return nil
}

// clone is for a change that may fail. Maps within are not changed, but replaced.
func (m *meta) clone() *meta {
	c := *m
	c.Settings = maps.Clone(m.Settings)
	c.Topics = slices.Clone(m.Topics)
	return &c
}

// topic returns the topic of a name, for changes.
func (m *meta) topic(name string) *metaTopic {
	i := slices.IndexFunc(m.Topics, func(t metaTopic) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Topics[i]
}
