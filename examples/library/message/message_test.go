package message_test

import (
	"encoding/json"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/message"
)

var (
	jenny = message.IDName{ID: "jenny", Name: "제니"}
	bell  = message.Item{No: 1, Title: "누구를 위하여 종을 울리나?"}
)

// decodes checks what a consumer makes of a message as others write it.
func decodes[T comparable](t *testing.T, typ, wire string, want T) {
	t.Helper()
	got, err := event.Decode[T](event.New(typ, "jenny", json.RawMessage(wire)))
	if err != nil || got != want {
		t.Errorf("%s: %+v, %v; want %+v", typ, got, err, want)
	}
}

// encodes checks what others get.
func encodes(t *testing.T, v any, want string) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil || string(data) != want {
		t.Errorf("%s, %v; want %s", data, err, want)
	}
}

const (
	idName = `"idName":{"id":"jenny","name":"제니"}`
	item   = `"item":{"no":1,"title":"누구를 위하여 종을 울리나?"}`
)

// TestResultDecodesAsItStands: without the fields that were added.
func TestResultDecodesAsItStands(t *testing.T) {
	decodes(t, message.RentalResult, `{"eventType": "RENT", "idName": {"id": "jenny", "name": "제니"}, "item":
{"no": 1, "title": "누구를 위하여 종을 울리나?"}, "point": 10, "success": true}`,
		message.EventResult{EventType: message.Rent, IDName: jenny, Item: bell, Point: 10, Success: true})
	for _, kind := range []message.EventType{message.Return, message.Overdue} {
		decodes(t, message.RentalResult, `{"eventType":"`+string(kind)+`",`+idName+`,"success":false}`,
			message.EventResult{EventType: kind, IDName: jenny})
	}
}

func TestResultWithAllFields(t *testing.T) {
	want := message.EventResult{
		EventType: message.Rent, IDName: jenny, Item: bell, Point: 10, Reason: "tom has it", SourceEventID: "e1",
		Participant: message.Book, Compensation: true,
	}
	wire := `{"eventType":"RENT",` + idName + `,` + item + `,"point":10,"success":false,"reason":"tom has it","sourceEventId":"e1","participant":"BOOK","compensation":true}`
	decodes(t, message.RentalResult, wire, want)
	encodes(t, want, wire)
}

func TestItemRentedDecodes(t *testing.T) {
	want, wire := message.ItemRented{IDName: jenny, Item: bell, Point: 10}, `{`+idName+`,`+item+`,"point":10}`
	decodes(t, message.RentalRent, wire, want)
	encodes(t, want, wire)
}

func TestItemReturnedDecodes(t *testing.T) {
	want, wire := message.ItemReturned{IDName: jenny, Item: bell, Point: 10}, `{`+idName+`,`+item+`,"point":10}`
	decodes(t, message.RentalReturn, wire, want)
	encodes(t, want, wire)
	want.RentalID = "r"
	decodes(t, message.RentalReturn, `{`+idName+`,`+item+`,"point":10,"rentalId":"r"}`, want)
}

func TestOverdueClearedDecodes(t *testing.T) {
	want, wire := message.OverdueCleared{IDName: jenny, Point: 20}, `{`+idName+`,"point":20}`
	decodes(t, message.OverdueClear, wire, want)
	encodes(t, want, wire)
}

func TestPointUseCommandDecodes(t *testing.T) {
	want, wire := message.PointUseCommand{IDName: jenny, Point: 10}, `{`+idName+`,"point":10}`
	decodes(t, message.PointUse, wire, want)
	encodes(t, want, wire)
	want.EventType = message.Return
	decodes(t, message.PointUse, `{`+idName+`,"point":10,"eventType":"RETURN"}`, want)
}

func TestCancelCommandDecodes(t *testing.T) {
	want, wire := message.CancelCommand{IDName: jenny, Item: bell, Point: 10}, `{`+idName+`,`+item+`,"point":10}`
	for _, typ := range []string{message.RentCancel, message.ReturnCancel} {
		decodes(t, typ, wire, want)
	}
	encodes(t, want, wire)
	for participant, isFor := range map[message.Participant]bool{"": true, message.Book: true, message.BestBook: false} {
		want.Participant = participant
		if want.IsFor(message.Book) != isFor {
			t.Errorf("a cancel for %q is for the book: %v", participant, !isFor)
		}
	}
}
