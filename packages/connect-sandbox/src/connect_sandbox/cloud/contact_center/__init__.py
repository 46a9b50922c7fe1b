"""What a contact centre consists of besides flows: the instance, where it stores, its queues, its numbers."""

from __future__ import annotations

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.contact_center.alarms import Alarms
from connect_sandbox.cloud.contact_center.calendar import Calendar
from connect_sandbox.cloud.contact_center.instances import Instances
from connect_sandbox.cloud.contact_center.numbers import Numbers
from connect_sandbox.cloud.contact_center.parts import Parts
from connect_sandbox.cloud.contact_center.records import Records
from connect_sandbox.cloud.contact_center.storage import Storage
from connect_sandbox.cloud.quotas import Quotas
from connect_sandbox.cloud.sns import Sns

__all__ = ["ContactCenter"]


class ContactCenter:
    """The contact centres of the account.

    Attributes: `instances`, `storage`, `parts`, `numbers`, `records`, `alarms`, `calendar`.
    """

    def __init__(
        self, *, state: ConnectState, authorization: Authorization, quotas: Quotas, clients: Clients, sns: Sns
    ) -> None:
        """`clients` reach the services that Connect stores into, with every permission."""
        self.calendar = Calendar()
        self.instances = Instances(state, quotas, clients, self.calendar)
        self.parts = Parts(state, quotas, clients)
        self.numbers = Numbers(state, quotas, self.calendar)
        self.storage = Storage(state, authorization, self.instances, clients)
        self.alarms = Alarms(clients, sns)
        self.records = Records(state, self.storage, self.instances, self.alarms, clients)
        self.instances.when_deleted(self.numbers.release_all)
