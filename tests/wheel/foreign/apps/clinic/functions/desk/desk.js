class NoAppointment extends Error {
  constructor(phone) {
    super(`${phone} has no appointment`);
    this.name = "NoAppointment";
  }
}

exports.cancel = async ({ Details }) => {
  throw new NoAppointment(Details.ContactData.CustomerEndpoint.Address);
};

exports.wait = async () => {
  console.warn("waiting");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
