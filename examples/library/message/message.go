// Package message is what the four services say to each other: the values of the
// topics, as JSON, or as Avro with the schemas beside (*.avsc). Every message is keyed by the member's id, as each is about one
// rental card; the business transaction it belongs to is its correlation id.
//
// Fields that a message may lack on the way in are those that are omitted where
// empty.
package message

// Types of the messages, and the standard names of their topics.
const (
	// RentalRent carries an ItemRented to book, member and bestbook.
	RentalRent = "rental-rent"
	// RentalReturn carries an ItemReturned to book and member.
	RentalReturn = "rental-return"
	// OverdueClear carries an OverdueCleared to member.
	OverdueClear = "overdue-clear"
	// RentalResult carries the EventResult of a participant to rental.
	RentalResult = "rental-result"
	// PointUse carries a PointUseCommand to member.
	PointUse = "point-use"
	// RentCancel and ReturnCancel carry a CancelCommand to book, the first one to
	// bestbook, too.
	RentCancel   = "rent-cancel"
	ReturnCancel = "return-cancel"
)

// EventType is what kind of business transaction a message is about.
type EventType string

// Kinds.
const (
	Rent    EventType = "RENT"
	Return  EventType = "RETURN"
	Overdue EventType = "OVERDUE"
	// Use is the result of a point-use that belongs to none of the others.
	Use EventType = "POINT_USE"
)

// Participant is a service that takes part in a business transaction.
type Participant string

// Participants. BestBook only listens: it answers nothing.
const (
	Book     Participant = "BOOK"
	Member   Participant = "MEMBER"
	BestBook Participant = "BESTBOOK"
)

// IDName is a member.
type IDName struct {
	ID   string `json:"id" avro:"id"`
	Name string `json:"name" avro:"name"`
}

// Item is a book.
type Item struct {
	No    int64  `json:"no" avro:"no"`
	Title string `json:"title" avro:"title"`
}

// ItemRented: a member has rented an item, which gives that many points.
type ItemRented struct {
	IDName IDName `json:"idName" avro:"idName"`
	Item   Item   `json:"item" avro:"item"`
	Point  int64  `json:"point" avro:"point"`
}

// ItemReturned: a member has brought an item back, which gives that many points.
type ItemReturned struct {
	IDName IDName `json:"idName" avro:"idName"`
	Item   Item   `json:"item" avro:"item"`
	Point  int64  `json:"point" avro:"point"`
	// RentalID is the correlation id of the rent that it ends.
	RentalID string `json:"rentalId,omitempty" avro:"rentalId"`
}

// OverdueCleared: a member pays a late fee with that many points.
type OverdueCleared struct {
	IDName IDName `json:"idName" avro:"idName"`
	Point  int64  `json:"point" avro:"point"`
}

// EventResult is what became of an event, or of a compensation, at a participant.
type EventResult struct {
	EventType EventType `json:"eventType" avro:"eventType"`
	IDName    IDName    `json:"idName" avro:"idName"`
	Item      Item      `json:"item,omitzero" avro:"item"`
	Point     int64     `json:"point,omitempty" avro:"point"`
	Success   bool      `json:"success" avro:"success"`
	// Reason of what was no success, for people.
	Reason string `json:"reason,omitempty" avro:"reason"`
	// SourceEventID is the id of the message it answers, never its own.
	SourceEventID string      `json:"sourceEventId,omitempty" avro:"sourceEventId"`
	Participant   Participant `json:"participant,omitempty" avro:"participant"`
	// Compensation: it answers a compensation, and Success is that nothing of the
	// transaction is left at the participant, and nothing will be.
	Compensation bool `json:"compensation,omitempty" avro:"compensation"`
}

// PointUseCommand takes points from a member.
type PointUseCommand struct {
	IDName IDName `json:"idName" avro:"idName"`
	Point  int64  `json:"point" avro:"point"`
	// EventType makes it the compensation of the business transaction that it
	// belongs to: what that one gave is taken, what it took is given back. Without
	// it the points are used, where the member has them.
	EventType EventType `json:"eventType,omitempty" avro:"eventType"`
}

// CancelCommand undoes a rent or a return.
type CancelCommand struct {
	IDName IDName `json:"idName" avro:"idName"`
	Item   Item   `json:"item" avro:"item"`
	Point  int64  `json:"point,omitempty" avro:"point"`
	// Participant is whom it is meant for; everybody where empty.
	Participant Participant `json:"participant,omitempty" avro:"participant"`
}

// IsFor says whether a participant is meant.
func (c CancelCommand) IsFor(p Participant) bool { return c.Participant == "" || c.Participant == p }
