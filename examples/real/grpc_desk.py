"""A stream of gRPC that flows both ways: order, hear of it, and ask for what has an answer of its own."""

import grpc

from antiphon import Actor, Link, Protobuf, action, scenario

desk_pb2 = grpc.protos("desk.proto")  # of grpcio-tools; or `import desk_pb2`, as protoc has generated it


class Customer(Actor):
    desk = Link("{desk}/desk.Desk/Talk", dialect=Protobuf(desk_pb2.Said, desk_pb2.Heard, id="request"))

    async def arrive(self) -> None:
        """Say who we are, which travels as metadata."""
        self.desk.headers["authorization"] = f"Bearer {self.user.token}"

    @action
    async def order(self, what: str, *many: int) -> str:
        """Order it, and wait until the desk has accepted that; gives its number."""
        self.send("order", what=what, many=many, kind="FANCY")
        accepted = await self.expect("accepted", where={"paid": False})
        return str(accepted["number"])


@scenario
async def an_order_and_its_end(customer: Customer) -> str:
    number = await customer.order("tea", 2, 3)
    cancelled = await customer.ask("cancel", number=number)
    customer.channel.finish()
    await customer.expect_close(0)
    return f"{cancelled['number']}: {cancelled['message']}"
