package assign

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func id(sub, partition int32) TaskID { return TaskID{Sub: sub, Partition: partition} }

var (
	someSubscription = Subscription{Process: "k3j5", Endpoint: "http://10.0.0.7:8080", Workers: 4, Shutdown: true,
		Standbys: []TaskID{id(0, 1), id(3, 200)}, Offsets: map[TaskID]int64{id(0, 1): 1 << 40, id(2, 0): 0},
		Static: []Host{{Member: "a", Instance: "i", Active: []TaskID{id(0, 1)}, Pending: []TaskID{id(0, 2)}, Standbys: []TaskID{id(1, 0)}}}}
	someAssignment = Assignment{Active: []TaskID{id(0, 1)}, Pending: []TaskID{id(0, 2)}, Standbys: []TaskID{id(1, 0)}, Warmups: []TaskID{id(0, 2)},
		Shutdown: true, Probe: 10 * time.Minute, Hosts: []Host{
			{Member: "a", Instance: "i", Process: "p", Endpoint: "e", Active: []TaskID{id(0, 1)}, Pending: []TaskID{id(0, 2)}, Standbys: []TaskID{id(0, 2), id(1, 0)}},
			{Member: "b"}}}
)

func TestRoundTrip(t *testing.T) {
	for _, s := range []Subscription{someSubscription, {Workers: 1}} {
		got, err := decodeSubscription(s.encode(7))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%+v became %+v, %v", s, got, err)
		}
	}
	for _, a := range []Assignment{someAssignment, {}} {
		got, err := decodeAssignment(a.encode())
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%+v became %+v, %v", a, got, err)
		}
	}
}

// TestDamage: no changed byte and no missing end goes unnoticed.
func TestDamage(t *testing.T) {
	for _, b := range [][]byte{someSubscription.encode(1), someAssignment.encode()} {
		for i := range b {
			bad := append([]byte(nil), b...)
			bad[i] ^= 1
			if _, err := decodeSubscription(bad); err == nil {
				t.Errorf("byte %d of %x", i, b)
			}
			if _, err := decodeAssignment(bad); err == nil {
				t.Errorf("byte %d of %x", i, b)
			}
			if _, err := decodeAssignment(b[:i]); err == nil {
				t.Errorf("%d bytes of %x", i, b)
			}
		}
	}
}

// later is user data as a later version may write it: with more at the end.
func later(b []byte, written, readable byte) []byte {
	b = append([]byte{written, readable}, b[2:len(b)-4]...)
	b = append(b, "more"...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func TestLaterVersions(t *testing.T) {
	if got, err := decodeSubscription(later(someSubscription.encode(1), 9, 1)); err != nil || !reflect.DeepEqual(got, someSubscription) {
		t.Errorf("a later version that adds something: %+v, %v", got, err)
	}
	for _, b := range [][]byte{someSubscription.encode(1), someAssignment.encode()} {
		_, errS := decodeSubscription(later(b, 9, 2))
		_, errA := decodeAssignment(later(b, 9, 2))
		for _, err := range []error{errS, errA} {
			if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "format 9") || !strings.Contains(err.Error(), "update this instance") {
				t.Errorf("a later version that changes something: %v", err)
			}
		}
	}
}

// TestNewerMember: the leader says whom it does not understand.
func TestNewerMember(t *testing.T) {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.UserData = 3, later(someSubscription.encode(1), 9, 2)
	instance := "new-one"
	_, _, err := New(Config{}).MemberBalancer([]kmsg.JoinGroupResponseMember{{MemberID: "m1", InstanceID: &instance, ProtocolMetadata: meta.AppendTo(nil)}})
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "m1") || !strings.Contains(err.Error(), instance) {
		t.Errorf("got %v", err)
	}
	if _, _, err := New(Config{}).MemberBalancer([]kmsg.JoinGroupResponseMember{{MemberID: "m1", ProtocolMetadata: []byte("x")}}); err == nil {
		t.Error("nonsense was read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(someSubscription.encode(1))
	f.Add(someAssignment.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		// What is inside, too: the sum is made right.
		if len(b) > 6 {
			b = append([]byte{version, readable}, b[2:]...)
			b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
		}
		if s, err := decodeSubscription(b); err == nil {
			if again, err := decodeSubscription(s.encode(1)); err != nil || len(again.Offsets) != len(s.Offsets) {
				t.Errorf("%+v became %+v, %v", s, again, err)
			}
		}
		if a, err := decodeAssignment(b); err == nil {
			if again, err := decodeAssignment(a.encode()); err != nil || !reflect.DeepEqual(a, again) {
				t.Errorf("%+v became %+v, %v", a, again, err)
			}
		}
	})
}
