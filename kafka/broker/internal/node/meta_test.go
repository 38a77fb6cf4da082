package node

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

func someMeta() *meta {
	m := newMeta()
	m.Epoch, m.Settings = 3, map[string]string{"log.retention.ms": "-1"}
	m.Topics = []metaTopic{
		{Name: "orders", ID: topicID{1, 2, 3}, Partitions: 4},
		{Name: strings.Repeat("x", maxName), ID: topicID{4}, Partitions: 1, Settings: map[string]string{"cleanup.policy": "compact"}},
	}
	return m
}

func TestMetaIsRead(t *testing.T) {
	want := someMeta()
	b, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeMeta(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
}

// TestMetaDamaged finds every byte that is not as it was written, and every missing end.
func TestMetaDamaged(t *testing.T) {
	b, err := someMeta().encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for _, mask := range []byte{1, 0x20, 0x80} {
			damaged := bytes.Clone(b)
			damaged[i] ^= mask
			if _, err := decodeMeta(damaged); err == nil {
				t.Errorf("byte %d, %q for %q: no error", i, damaged[i], b[i])
			}
		}
		if _, err := decodeMeta(b[:i]); err == nil {
			t.Errorf("the first %d bytes: no error", i)
		}
	}
	if _, err := decodeMeta([]byte("pabal broker 2 crc32c 00000000\n{}")); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a later format: %v", err)
	}
}

func TestMetaThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*meta){
		"two of a name":     func(m *meta) { m.Topics[1].Name = "orders" },
		"two of an id":      func(m *meta) { m.Topics[1].ID = m.Topics[0].ID },
		"no partitions":     func(m *meta) { m.Topics[0].Partitions = 0 },
		"a name of folders": func(m *meta) { m.Topics[0].Name = "../../etc" },
		"no secret":         func(m *meta) { m.Secret = nil },
		"no cluster":        func(m *meta) { m.Cluster = "" },
	} {
		m := someMeta()
		change(m)
		b, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeMeta(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpenDamaged refuses a folder whose meta file is damaged or gone, and leaves it as it was.
func TestOpenDamaged(t *testing.T) {
	for name, damage := range map[string]func(*simfs.FS) error{
		"a flipped bit": func(fs *simfs.FS) error { return fs.Flip("data/meta", 80, 4) },
		"an empty file": func(fs *simfs.FS) error {
			f, err := fs.Open("data/meta")
			if err != nil {
				return err
			}
			return f.Truncate(0)
		},
		"no file": func(fs *simfs.FS) error { return fs.Remove("data/meta") },
	} {
		fs := simfs.New()
		o := Options{FS: fs, Dir: "data"}
		n := open(t, o)
		if err := put(create(t, n, "t", 1).Partition(0), "v"); err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		good, err := vfs.ReadFile(fs, "data/meta", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(fs); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "meta") || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: %v", name, err)
		}
		if err := vfs.WriteFile(fs, "data", "meta", good); err != nil {
			t.Fatal(err)
		}
		if got := values(t, open(t, o).Topic("t").Partition(0)); fmt.Sprint(got) != "[v]" {
			t.Errorf("%s: after it was restored: %v", name, got)
		}
	}
}

func TestOpenOlderFolder(t *testing.T) {
	fs := vfs.NewMemory()
	if err := errors.Join(fs.MkdirAll("data"), vfs.WriteFile(fs, "data", "cluster-id", []byte("x\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{FS: fs, Dir: "data"}); err == nil || !strings.Contains(err.Error(), "older version") {
		t.Errorf("a folder of the broker before: %v", err)
	}
}

// TestOthersFilesStay that are not the broker's.
func TestOthersFilesStay(t *testing.T) {
	fs := vfs.NewMemory()
	o := Options{FS: fs, Dir: "data"}
	n := open(t, o)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	orphan := "data/topics/gone-" + topicID{9}.String()
	for _, folder := range []string{"data/topics/lost+found", orphan + "/0"} {
		if err := errors.Join(fs.MkdirAll(folder), vfs.WriteFile(fs, folder, "00000000000000000000.log", nil)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, o)
	if _, err := fs.ReadDir(orphan); err == nil {
		t.Error("the folder of a topic that is not there is left")
	}
	if names, _ := fs.ReadDir("data/topics/lost+found"); len(names) != 1 {
		t.Errorf("lost+found has %q", names)
	}
}

// TestMissingFolder is told of: records were lost.
func TestMissingFolder(t *testing.T) {
	fs := vfs.NewMemory()
	o := Options{FS: fs, Dir: "data"}
	n := open(t, o)
	folder := create(t, n, "t", 2).Partition(1).folder()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err = errors.Join(err, fs.Remove(folder+"/"+name))
	}
	if err := errors.Join(err, fs.Remove(folder)); err != nil {
		t.Fatal(err)
	}
	if w := open(t, o).Stats().Warnings; len(w) != 1 || !strings.Contains(w[0], folder) {
		t.Errorf("warnings: %q", w)
	}
}
