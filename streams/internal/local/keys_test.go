package local

import (
	"bytes"
	"cmp"
	"testing"
)

func FuzzCatalogKey(f *testing.F) {
	f.Add(int32(0), int32(-1), "counts", int32(1), int32(0), "")
	f.Fuzz(func(t *testing.T, sub, partition int32, store string, sub2, partition2 int32, store2 string) {
		a, b := catalogKey(TaskID{sub, partition}, store), catalogKey(TaskID{sub2, partition2}, store2)
		id, name, err := parseCatalogKey(a)
		if err != nil || id != (TaskID{sub, partition}) || name != store {
			t.Errorf("%v %q %v", id, name, err)
		}
		want := cmp.Or(cmp.Compare(sub, sub2), cmp.Compare(partition, partition2), cmp.Compare(store, store2))
		if got := bytes.Compare(a, b); got != want {
			t.Errorf("order %d, want %d", got, want)
		}
		if a[0] != 0 {
			t.Error("it is among the spaces' keys")
		}
	})
}

func FuzzParseCatalogKey(f *testing.F) {
	f.Add([]byte(catalogPrefix))
	f.Fuzz(func(t *testing.T, key []byte) {
		id, store, err := parseCatalogKey(key)
		if err == nil && !bytes.Equal(catalogKey(id, store), key) {
			t.Errorf("%x is read as %v %q", key, id, store)
		}
	})
}

// Keys of a space are within its bounds, in order, and none of another's is.
func FuzzDataKey(f *testing.F) {
	f.Add(uint32(firstNumber), uint32(lastNumber), []byte("a"), []byte("\xff\xff"))
	f.Fuzz(func(t *testing.T, number, other uint32, a, b []byte) {
		number = max(min(number, lastNumber), firstNumber)
		other = max(min(other, lastNumber), firstNumber)
		ka, kb := dataKey(nil, number, a), dataKey(nil, number, b)
		if bytes.Compare(ka, kb) != bytes.Compare(a, b) {
			t.Error("another order")
		}
		lower, upper := dataBounds(number, nil, nil)
		within := func(k []byte) bool { return bytes.Compare(k, lower) >= 0 && bytes.Compare(k, upper) < 0 }
		if !within(ka) || other != number && within(dataKey(nil, other, a)) || within(offsetKey(number)) || within(catalogKey(TaskID{}, string(a))) {
			t.Errorf("bounds of %d", number)
		}
		if from, to := dataBounds(number, a, b); !bytes.Equal(from, ka) || !bytes.Equal(to, kb) {
			t.Error("bounds are not the keys")
		}
	})
}
