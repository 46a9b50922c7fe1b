#!/usr/bin/env node
import { App, Tags } from "aws-cdk-lib";
import { LineStack } from "../lib/line-stack.ts";
import { PatientsStack } from "../lib/patients-stack.ts";

interface ClinicSettings {
  readonly name: string;
  readonly timeZone: string;
}

const app = new App();
const clinic: ClinicSettings = app.node.getContext("clinic");
const env = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };

const patients = new PatientsStack(app, "clinic-patients", { env });
new LineStack(app, "clinic-line", { env, clinic, patients: patients.table });
Tags.of(app).add("clinic", clinic.name);
